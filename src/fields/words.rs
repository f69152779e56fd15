//! What `#[field(…)]` says of one field, as attributes of serde and schemars.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, Field, Lit, Meta, MetaList, RangeLimits, Result, Token, Type};

/// What the absence of a field means.
#[derive(Clone)]
pub enum Class {
    /// A manifest has to say it.
    Required,
    /// None: what AWS has is removed.
    Empty,
    /// Unmanaged: AWS's own value is never compared.
    Server,
    /// This value; the type's own default where none is given.
    Default(Option<Box<Expr>>),
    /// `false`, and sent only where it is `true`.
    Flag,
}

/// What is known of a field.
pub struct Words {
    /// What its absence means.
    pub class: Class,
    /// The kind sends it itself: the SDK's structure has no such field.
    pub beside: bool,
    schema: Vec<TokenStream>,
}

impl Words {
    /// Takes the attributes `#[field(…)]` off a field and reads them.
    pub fn take(field: &mut Field) -> Result<Self> {
        let mut class = None;
        let mut words = Self { class: Class::Required, beside: false, schema: Vec::new() };
        let (said, others) = field.attrs.drain(..).partition(|attribute| attribute.path().is_ident("field"));
        field.attrs = others;
        let said: Vec<syn::Attribute> = said;
        for attribute in said {
            for word in attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)? {
                match named_class(&word) {
                    Some(found) if class.is_none() => class = Some(found),
                    Some(_) => return Err(Error::new(word.span(), "a field has one class")),
                    None if word.path().is_ident("beside") => words.beside = true,
                    None => words.schema.push(of_schema(&word)?),
                }
            }
        }
        words.class = match class {
            Some(class) => class,
            None if may_be_absent(&field.ty).is_none() => Class::Required,
            None => {
                let what = "say what its absence means: #[field(empty)], #[field(server)], #[field(default)] or \
                            #[field(required)] (D3)";
                return Err(Error::new(field.ty.span(), what));
            }
        };
        match words.class {
            Class::Empty => words.schema.push(quote!(transform = ::batchwright::field::empty)),
            Class::Server => words.schema.push(quote!(transform = ::batchwright::field::server)),
            Class::Required | Class::Default(_) | Class::Flag => (),
        }
        Ok(words)
    }

    /// The attributes for serde and schemars. `default`: the path of the function that gives the default.
    pub fn attributes(&self, ty: &Type, default: &str) -> TokenStream {
        let schema = &self.schema;
        let schema = (!schema.is_empty()).then(|| quote!(#[schemars(#(#schema),*)]));
        let skip = may_be_absent(ty).map(|is| quote!(, skip_serializing_if = #is));
        let serde = match &self.class {
            Class::Required => None,
            // An empty list is not what its absence means: it has to be written.
            Class::Default(Some(_)) => Some(quote!(#[serde(default = #default)])),
            _ => Some(quote!(#[serde(default #skip)])),
        };
        quote!(#serde #schema)
    }

    /// The value that absence means.
    pub fn value(&self) -> TokenStream {
        match &self.class {
            Class::Default(Some(value)) => quote!((#value).into()),
            _ => quote!(::std::default::Default::default()),
        }
    }
}

/// How serde is told that a field of this type says nothing; `None` of types that always say something.
fn may_be_absent(ty: &Type) -> Option<&'static str> {
    let Type::Path(path) = ty else { return None };
    match path.path.segments.last()?.ident.to_string().as_str() {
        "Option" => Some("::std::option::Option::is_none"),
        "Vec" => Some("::std::vec::Vec::is_empty"),
        "BTreeMap" => Some("::std::collections::BTreeMap::is_empty"),
        _ => None,
    }
}

fn named_class(word: &Meta) -> Option<Class> {
    match word {
        Meta::NameValue(pair) if pair.path.is_ident("default") => {
            Some(Class::Default(Some(Box::new(pair.value.clone()))))
        }
        Meta::Path(path) => match path.get_ident()?.to_string().as_str() {
            "required" => Some(Class::Required),
            "empty" => Some(Class::Empty),
            "server" => Some(Class::Server),
            "default" => Some(Class::Default(None)),
            "flag" => Some(Class::Flag),
            _ => None,
        },
        _ => None,
    }
}

/// A word for the schema: a check of JSON Schema, or a function of `batchwright::field`.
fn of_schema(word: &Meta) -> Result<TokenStream> {
    let path = word.path();
    match word {
        Meta::Path(_) if path.is_ident("skip") => Ok(quote!(skip)),
        Meta::Path(_) => Ok(quote!(transform = ::batchwright::field::#path)),
        Meta::List(list) if path.is_ident("range") || path.is_ident("length") => limits(list),
        Meta::List(list) if path.is_ident("regex") => {
            let pattern = &list.tokens;
            Ok(quote!(regex(pattern = #pattern)))
        }
        Meta::List(list) if path.is_ident("inner") => {
            let inner = of_schema(&list.parse_args()?)?;
            Ok(quote!(inner(#inner)))
        }
        Meta::List(list) => {
            let values = list.parse_args_with(Punctuated::<Expr, Token![,]>::parse_terminated)?;
            let is_list =
                ["refers", "items_refer", "one_of", "items_one_of"].iter().any(|it| path.is_ident(it));
            let is_text = |it: &Expr| matches!(it, Expr::Lit(lit) if matches!(lit.lit, Lit::Str(_)));
            match is_list && values.iter().all(is_text) {
                true => Ok(quote!(transform = ::batchwright::field::#path(&[#values]))),
                false => Ok(quote!(transform = ::batchwright::field::#path(#values))),
            }
        }
        Meta::NameValue(_) => Err(Error::new(word.span(), "only `default` takes a value")),
    }
}

/// `range(0..=1000)` and `length(1..)` as schemars says them.
fn limits(list: &MetaList) -> Result<TokenStream> {
    let path = &list.path;
    let Expr::Range(range) = list.parse_args::<Expr>()? else {
        return Err(Error::new(list.tokens.span(), "expected a range: 0..=1000, 1.. or ..=255"));
    };
    if range.end.is_some() && matches!(range.limits, RangeLimits::HalfOpen(_)) {
        return Err(Error::new(range.span(), "say the last value: 0..=1000"));
    }
    let min = range.start.as_ref().map(|start| quote!(min = #start));
    let max = range.end.as_ref().map(|end| quote!(max = #end));
    let both: Vec<TokenStream> = [min, max].into_iter().flatten().collect();
    let both = Punctuated::<TokenStream, Token![,]>::from_iter(both).into_token_stream();
    Ok(quote!(#path(#both)))
}
