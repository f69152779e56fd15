//! What a column's values mean, however they are stored.

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::schema::types::ColumnDescriptor;

/// What is wanted of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Numbers, or text that is one.
    Number,
    /// Text.
    Text,
    /// Whether there is something.
    Presence,
}

/// What the stored values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Numbers or bytes as they are stored.
    Plain,
    /// Integers without a sign.
    Unsigned,
    /// Integers of a power of ten; as bytes in two's complement, the highest byte first.
    Decimal,
    /// Floating-point numbers of two bytes, the lowest first.
    Half,
    /// Something that is neither a number nor text, or nothing that is known.
    Other,
}

/// What a column's values mean; an error if that can't be what is wanted.
///
/// The types are those of <https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>.
pub(super) fn meaning(described: &ColumnDescriptor, wanted: Wanted) -> Result<Meaning, String> {
    let meaning = said(described);
    let bytes = matches!(described.physical_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY);
    // A column of this type holds no value at all.
    let empty = matches!(described.logical_type_ref(), Some(LogicalType::Unknown));
    let (fits, what) = match wanted {
        Wanted::Number => (meaning != Meaning::Other, "which is not a number"),
        Wanted::Text => (meaning == Meaning::Plain && (bytes || empty), "which is not text"),
        Wanted::Presence => (true, ""),
    };
    match fits {
        true => Ok(meaning),
        false => Err(format!("column {} is {}, {what}", described.path().string(), name(described))),
    }
}

fn said(described: &ColumnDescriptor) -> Meaning {
    use ConvertedType as Converted;
    let bytes = matches!(described.physical_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY);
    match (described.logical_type_ref(), described.converted_type()) {
        (Some(LogicalType::Integer(integer)), _) if !integer.is_signed => Meaning::Unsigned,
        (Some(LogicalType::Decimal(_)), _) | (None, Converted::DECIMAL) => Meaning::Decimal,
        (Some(LogicalType::Float16), _) => Meaning::Half,
        (
            Some(
                LogicalType::Integer(_)
                | LogicalType::String
                | LogicalType::Enum
                | LogicalType::Json
                | LogicalType::Unknown,
            ),
            _,
        ) => Meaning::Plain,
        (Some(_), _) => Meaning::Other,
        (None, Converted::UINT_8 | Converted::UINT_16 | Converted::UINT_32 | Converted::UINT_64) => {
            Meaning::Unsigned
        }
        // Nothing says that these are text: they may be in any encoding, or anything else.
        (None, Converted::NONE) if bytes => Meaning::Other,
        (
            None,
            Converted::NONE
            | Converted::INT_8
            | Converted::INT_16
            | Converted::INT_32
            | Converted::INT_64
            | Converted::UTF8
            | Converted::ENUM
            | Converted::JSON,
        ) => Meaning::Plain,
        (None, _) => Meaning::Other,
    }
}

/// The type's name: what it says it is, else what it is stored as.
fn name(described: &ColumnDescriptor) -> String {
    match (described.logical_type_ref(), described.converted_type()) {
        (Some(said), _) => {
            let text = format!("{said:?}");
            let name = text.split(|char: char| !char.is_ascii_alphanumeric()).find(|part| !part.is_empty());
            name.unwrap_or_default().to_ascii_uppercase()
        }
        (None, ConvertedType::NONE) => match described.physical_type() {
            bytes @ (Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY) => {
                format!("{bytes} without a logical type")
            }
            other => other.to_string(),
        },
        (None, said) => said.to_string(),
    }
}

/// The value of a floating-point number of two bytes (IEEE 754 binary16).
pub(super) fn half(bytes: [u8; 2]) -> f64 {
    let bits = u16::from_le_bytes(bytes);
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}
