//! The way of a structure to the SDK's and back (D34).

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Path};

use crate::structure::{Known, plain};
use crate::words::Class;

/// What reads the SDK's structure, what makes one, and the test that every field of it is said.
pub fn implementations(owner: &Ident, sdk: &Path, known: &[Known], unsaid: &[Ident]) -> TokenStream {
    let read = known.iter().map(|field| read(owner, field));
    let sent = known.iter().filter(|field| !field.words.beside).map(|Known { name, words, .. }| {
        let class = match words.class {
            Class::Flag => quote!(flag),
            _ => quote!(value),
        };
        quote!(sdk.#name = ::batchwright::kinds::mirror::sent::#class(&self.#name);)
    });
    let test = every_field_is_said(owner, sdk, known, unsaid);
    quote! {
        #[allow(deprecated, reason = "what AWS still takes and reports can be declared")]
        impl ::batchwright::kinds::mirror::Part<#sdk> for #owner {
            fn of(sdk: &#sdk) -> Self {
                Self { #(#read),* }
            }

            fn sdk(&self) -> #sdk {
                let mut sdk = <#sdk>::builder().build();
                #(#sent)*
                sdk
            }
        }

        impl ::batchwright::kinds::mirror::Field<#sdk> for #owner {
            fn read(sdk: ::std::option::Option<&#sdk>, absent: impl FnOnce() -> Self) -> Self {
                sdk.map_or_else(absent, ::batchwright::kinds::mirror::Part::of)
            }

            fn write(&self) -> ::std::option::Option<#sdk> {
                ::std::option::Option::Some(::batchwright::kinds::mirror::Part::sdk(self))
            }
        }

        #test
    }
}

fn read(owner: &Ident, Known { name, words, .. }: &Known) -> TokenStream {
    let absent = match &words.class {
        Class::Default(Some(_)) => {
            let function = format_ident!("default_{}", plain(name));
            quote!(#owner::#function)
        }
        _ => quote!(::std::default::Default::default),
    };
    match words.beside {
        true => quote!(#name: #absent()),
        false => quote!(#name: ::batchwright::kinds::mirror::Field::read(sdk.#name.as_ref(), #absent)),
    }
}

/// The SDK's structure shows its fields when it is printed: a field that it gains has to be said, or named as unsaid.
fn every_field_is_said(owner: &Ident, sdk: &Path, known: &[Known], unsaid: &[Ident]) -> TokenStream {
    let said: Vec<String> =
        known.iter().filter(|field| !field.words.beside).map(|field| plain(&field.name)).collect();
    let unsaid = unsaid.iter().map(plain);
    let of = sdk.segments.last().map(|last| snake(&last.ident.to_string())).unwrap_or_default();
    let name = format_ident!("every_field_of_{}_is_said_of_{of}", snake(&owner.to_string()));
    quote! {
        #[cfg(test)]
        #[test]
        #[allow(deprecated, reason = "what AWS still takes and reports can be declared")]
        fn #name() {
            let blank = ::std::format!("{:?}", <#sdk>::builder().build());
            ::batchwright::kinds::mirror::tests::compare(&blank, &[#(#said,)* #(#unsaid,)*]);
        }
    }
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
