//! `#[spec]` on a structure.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Fields, Ident, ItemStruct, Path, Result, Token, Type, bracketed};

use crate::mirror;
use crate::words::{Class, Words};

/// What stands behind `#[spec`.
#[derive(Default)]
pub struct Arguments {
    /// The SDK's structure that it stands for.
    pub mirrors: Option<Path>,
    /// The SDK's structure in which AWS reports it, where that is another one: a request's and an answer's.
    pub told: Option<Path>,
    /// The SDK's fields that only AWS writes.
    pub unsaid: Vec<Ident>,
    /// It has a `Default`.
    pub default: bool,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut found = Self::default();
        while !input.is_empty() {
            let word: Ident = input.parse()?;
            match word.to_string().as_str() {
                "default" => found.default = true,
                "mirrors" => {
                    input.parse::<Token![=]>()?;
                    found.mirrors = Some(input.parse()?);
                }
                "told" => {
                    input.parse::<Token![=]>()?;
                    found.told = Some(input.parse()?);
                }
                "unsaid" => {
                    input.parse::<Token![=]>()?;
                    let list;
                    bracketed!(list in input);
                    found.unsaid =
                        Punctuated::<Ident, Token![,]>::parse_terminated(&list)?.into_iter().collect();
                }
                _ => {
                    return Err(Error::new(
                        word.span(),
                        "expected `default`, `mirrors = …`, `told = …` or `unsaid = […]`",
                    ));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(found)
    }
}

/// A field as the other files need it.
pub struct Known {
    /// Its name in the structure.
    pub name: Ident,
    /// Its type.
    pub ty: Type,
    /// What it says.
    pub words: Words,
}

/// The structure with what serde and schemars need, and what else its arguments ask for.
pub fn spec(arguments: Arguments, mut item: ItemStruct) -> Result<TokenStream> {
    let owner = item.ident.clone();
    let mut known = Vec::new();
    let Fields::Named(fields) = &mut item.fields else {
        return Err(Error::new(item.ident.span(), "a spec has named fields"));
    };
    for field in &mut fields.named {
        let words = Words::take(field)?;
        let Some(name) = field.ident.clone() else {
            return Err(Error::new(field.span(), "a field has a name"));
        };
        let default = format!("{owner}::default_{}", plain(&name));
        let attributes = words.attributes(&field.ty, &default);
        let attributes: ItemStruct = syn::parse2(quote!(struct Attributes { #attributes f: () }))?;
        let first = attributes.fields.into_iter().flat_map(|field| field.attrs);
        field.attrs.extend(first);
        known.push(Known { name, ty: field.ty.clone(), words });
    }
    let defaults = default_functions(&owner, &known);
    let whole = (arguments.default || arguments.mirrors.is_some()).then(|| whole_default(&owner, &known));
    let mirrored = match &arguments.mirrors {
        Some(sdk) => {
            // What only AWS writes is not in what it is sent, where that is a structure of its own.
            let (asks, only) = (arguments.told.is_none(), &arguments.unsaid);
            let sent = mirror::implementations(&owner, sdk, &known, if asks { only } else { &[] });
            let told =
                arguments.told.as_ref().map(|told| mirror::implementations(&owner, told, &known, only));
            Some(quote!(#sent #told))
        }
        None => None,
    };
    Ok(quote! {
        #[derive(Debug, Clone, PartialEq, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #item
        #defaults
        #whole
        #mirrored
    })
}

/// A field's name without the `r#` of Rust's own words.
pub fn plain(name: &Ident) -> String {
    name.to_string().trim_start_matches("r#").to_owned()
}

/// One function for each field whose absence means a value: serde calls it, and so do kinds where AWS says nothing.
fn default_functions(owner: &Ident, known: &[Known]) -> Option<TokenStream> {
    let functions: Vec<TokenStream> = known
        .iter()
        .filter(|field| matches!(field.words.class, Class::Default(Some(_))))
        .map(|Known { name, ty, words }| {
            let function = format_ident!("default_{}", plain(name));
            let value = words.value();
            let doc = format!("What the absence of `{}` means.", plain(name));
            quote! {
                #[doc = #doc]
                #[allow(clippy::useless_conversion, reason = "a text is written as one, and so are flags and numbers")]
                pub fn #function() -> #ty {
                    #value
                }
            }
        })
        .collect();
    (!functions.is_empty()).then(|| quote!(impl #owner { #(#functions)* }))
}

fn whole_default(owner: &Ident, known: &[Known]) -> TokenStream {
    let fields = known.iter().map(|Known { name, words, .. }| {
        let value = match &words.class {
            Class::Default(Some(_)) => {
                let function = format_ident!("default_{}", plain(name));
                quote!(Self::#function())
            }
            _ => quote!(::std::default::Default::default()),
        };
        quote!(#name: #value)
    });
    quote! {
        impl ::std::default::Default for #owner {
            fn default() -> Self {
                Self { #(#fields),* }
            }
        }
    }
}
