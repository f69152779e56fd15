//! Columns of Parquet: what they mean counts, not what they are stored as.

use std::sync::Arc;

use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::inputs::summarized;

/// A file whose `payment_type` and `payment_value` are of these types and hold these values.
fn table<K: DataType, V: DataType>(kind: (&str, &[K::T]), value: (&str, &[V::T])) -> Vec<u8> {
    let named = |kind: &str, name: &str| match kind.split_once(" (") {
        Some((stored, meant)) => format!("required {stored} {name} ({meant};"),
        None => format!("required {kind} {name};"),
    };
    let columns = [
        named("binary (UTF8)", "order_id"),
        named("int32", "payment_installments"),
        named(kind.0, "payment_type"),
        named(value.0, "payment_value"),
    ];
    let schema = parse_message_type(&format!("message payments {{ {} }}", columns.join(" "))).unwrap();
    let properties = Arc::new(WriterProperties::default());
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let rows = value.1.len();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&vec![ByteArray::from("a"); rows], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&vec![1; rows], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<K>().write_batch(kind.1, None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<V>().write_batch(value.1, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap()
}

/// The total of values of this type, or why there is none.
fn total<V: DataType>(kind: &str, values: &[V::T]) -> String {
    let text = vec![ByteArray::from("boleto"); values.len()];
    let content = table::<ByteArrayType, V>(("binary (UTF8)", &text), (kind, values));
    match summarized("p.parquet", &content, &[]) {
        Ok(result) => format!("{kind}: {}", result["total_purchase"]),
        Err(error) => error,
    }
}

fn fixed(bytes: &[u8]) -> FixedLenByteArray {
    ByteArray::from(bytes.to_vec()).into()
}

const TEN_18: i128 = 1_000_000_000_000_000_000;

/// A number in two's complement of N bytes, the highest first.
fn wide<const N: usize>(digits: i128) -> [u8; N] {
    let mut bytes = [if digits < 0 { 0xff } else { 0 }; N];
    bytes[N - 16..].copy_from_slice(&digits.to_be_bytes());
    bytes
}

#[test]
fn numbers_are_read_as_what_they_mean() {
    let decimal = |digits: i16| ByteArray::from(digits.to_be_bytes().to_vec());
    let unsigned = u64::MAX - 1615;
    let outcomes = [
        total::<Int32Type>("int32", &[-5, 7]),
        total::<Int32Type>("int32 (UINT_32)", &[3_000_000_000u32.cast_signed(), 1]),
        total::<Int32Type>("int32 (INTEGER(32,false))", &[3_000_000_000u32.cast_signed()]),
        total::<Int32Type>("int32 (INT_16)", &[-3]),
        total::<Int64Type>("int64 (INTEGER(64,false))", &[unsigned.cast_signed()]),
        total::<Int64Type>("int64 (INTEGER(64,false))", &[7]),
        total::<Int64Type>("int64 (DECIMAL(10,2))", &[-12345]),
        total::<ByteArrayType>("binary (DECIMAL(4,0))", &[decimal(-1234), decimal(4000)]),
        total::<ByteArrayType>("binary (DECIMAL(4,2))", &[decimal(-1234)]),
        total::<ByteArrayType>("binary (UTF8)", &["12.5".into()]),
        total::<FixedLenByteArrayType>("fixed_len_byte_array(2) (DECIMAL(4,0))", &[fixed(&[0xff, 0xfe])]),
        total::<FixedLenByteArrayType>(
            "fixed_len_byte_array(16) (DECIMAL(38,18))",
            &[fixed(&wide::<16>(1234 * TEN_18))],
        ),
        total::<FixedLenByteArrayType>(
            "fixed_len_byte_array(32) (DECIMAL(60,2))",
            &[fixed(&wide::<32>(150)), fixed(&wide::<32>(-25))],
        ),
        total::<FixedLenByteArrayType>(
            "fixed_len_byte_array(32) (DECIMAL(76,40))",
            &[fixed(&wide::<32>(-5))],
        ),
        total::<FixedLenByteArrayType>(
            "fixed_len_byte_array(32) (DECIMAL(76,2))",
            &[
                fixed(&[[0x3f; 1].as_slice(), &[0xff; 31]].concat()),
                fixed(&[[0xc0; 1].as_slice(), &[0; 31]].concat()),
            ],
        ),
        total::<ByteArrayType>(
            "binary (DECIMAL(76,2))",
            &[wide::<32>(150).to_vec().into(), vec![0xff].into(), vec![0x00, 0x96].into()],
        ),
        total::<FixedLenByteArrayType>(
            "fixed_len_byte_array(2) (FLOAT16)",
            &[fixed(&[0x00, 0x3e]), fixed(&[0x01, 0x00]), fixed(&[0xff, 0xfb])],
        ),
    ];
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    int32: 2.0
    int32 (UINT_32): 3000000001.0
    int32 (INTEGER(32,false)): 3000000000.0
    int32 (INT_16): -3.0
    int64 (INTEGER(64,false)): 1.844674407370955e+19
    int64 (INTEGER(64,false)): 7.0
    int64 (DECIMAL(10,2)): -123.45
    binary (DECIMAL(4,0)): 2766.0
    binary (DECIMAL(4,2)): -12.34
    binary (UTF8): 12.5
    fixed_len_byte_array(2) (DECIMAL(4,0)): -2.0
    fixed_len_byte_array(16) (DECIMAL(38,18)): 1234.0
    fixed_len_byte_array(32) (DECIMAL(60,2)): 1.25
    fixed_len_byte_array(32) (DECIMAL(76,40)): -5e-40
    fixed_len_byte_array(32) (DECIMAL(76,2)): -0.01
    binary (DECIMAL(76,2)): 2.99
    fixed_len_byte_array(2) (FLOAT16): -65502.499999940395
    ");
}

#[test]
fn a_column_that_holds_something_else_is_refused() {
    let text = [ByteArray::from("1")];
    let kind = table::<Int32Type, Int32Type>(("int32", &[1]), ("int32", &[1]));
    let dated = table::<Int32Type, Int32Type>(("int32 (DATE)", &[1]), ("int32", &[1]));
    let bytes = table::<ByteArrayType, Int32Type>(("binary", &text), ("int32", &[1]));
    let bson = table::<ByteArrayType, Int32Type>(("binary (BSON)", &text), ("int32", &[1]));
    let outcomes = [
        total::<Int32Type>("int32 (DATE)", &[1]),
        total::<Int32Type>("int32 (TIME(MILLIS,true))", &[1]),
        total::<Int32Type>("int32 (TIME_MILLIS)", &[1]),
        total::<Int64Type>("int64 (TIMESTAMP(MICROS,true))", &[1]),
        total::<Int64Type>("int64 (TIMESTAMP_MICROS)", &[1]),
        total::<FixedLenByteArrayType>("fixed_len_byte_array(12) (INTERVAL)", &[fixed(&[0; 12])]),
        total::<FixedLenByteArrayType>("fixed_len_byte_array(16) (UUID)", &[fixed(&[0; 16])]),
        total::<FixedLenByteArrayType>("fixed_len_byte_array(2) (FLOAT16)", &[fixed(&[0x00, 0x7c])]),
        total::<ByteArrayType>("binary", &["12.5".into()]),
        total::<FixedLenByteArrayType>("fixed_len_byte_array(4)", &[fixed(b"12.5")]),
        total::<ByteArrayType>("binary (DECIMAL(4,2))", &[ByteArray::from(vec![])]),
        summarized("p.parquet", &bytes, &[]).unwrap_err(),
        summarized("p.parquet", &kind, &["--bad-rows", "skip"]).unwrap_err(),
        summarized("p.parquet", &dated, &[]).unwrap_err(),
        summarized("p.parquet", &bson, &[]).unwrap_err(),
    ];
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    1 ERROR failed to summarize p.parquet: column payment_value is DATE, which is not a number
    1 ERROR failed to summarize p.parquet: column payment_value is TIME, which is not a number
    1 ERROR failed to summarize p.parquet: column payment_value is TIME_MILLIS, which is not a number
    1 ERROR failed to summarize p.parquet: column payment_value is TIMESTAMP, which is not a number
    1 ERROR failed to summarize p.parquet: column payment_value is TIMESTAMP_MICROS, which is not a number
    1 ERROR failed to summarize p.parquet: column payment_value is INTERVAL, which is not a number
    1 ERROR failed to summarize p.parquet: column payment_value is UUID, which is not a number
    1 ERROR failed to summarize p.parquet: line 1, column 1 (payment_value): inf is not a number
    1 ERROR failed to summarize p.parquet: column payment_value is BYTE_ARRAY without a logical type, which is not a number
    1 ERROR failed to summarize p.parquet: column payment_value is FIXED_LEN_BYTE_ARRAY without a logical type, which is not a number
    1 ERROR failed to summarize p.parquet: line 1, column 1 (payment_value): it has no byte
    1 ERROR failed to summarize p.parquet: column payment_type is BYTE_ARRAY without a logical type, which is not text
    1 ERROR failed to summarize p.parquet: column payment_type is INT32, which is not text
    1 ERROR failed to summarize p.parquet: column payment_type is DATE, which is not text
    1 ERROR failed to summarize p.parquet: column payment_type is BSON, which is not text
    ");
}

#[test]
fn a_codec_that_is_not_supported_is_named() {
    let text = [ByteArray::from("boleto")];
    let content = table::<ByteArrayType, Int32Type>(("binary (UTF8)", &text), ("int32", &[1]));
    // The codec of a column stands behind its name in the footer, as a field of its own.
    let name = b"payment_value\x15\x00";
    let at = content.windows(name.len()).position(|part| part == name).unwrap() + name.len() - 1;
    let outcomes = [8, 6].map(|codec| {
        let mut content = content.clone();
        content[at] = codec;
        summarized("p.parquet", &content, &[]).unwrap_err()
    });
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    1 ERROR failed to summarize p.parquet: column payment_value is compressed with brotli, which is not supported
    1 ERROR failed to summarize p.parquet: column payment_value is compressed with lzo, which is not supported
    ");
}

/// As in CSV: nobody can say which of the two is meant.
#[test]
fn a_column_that_is_there_twice_is_refused() {
    let columns = "required binary order_id (UTF8); required int32 payment_installments; required binary payment_type (UTF8); required int32 payment_value; required binary payment_value (UTF8);";
    let schema = parse_message_type(&format!("message payments {{ {columns} }}")).unwrap();
    let properties = Arc::new(WriterProperties::default());
    let writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties).unwrap();
    let content = writer.into_inner().unwrap();
    insta::assert_snapshot!(summarized("p.parquet", &content, &[]).unwrap_err(), @"1 ERROR failed to summarize p.parquet: column payment_value is there twice");
}

#[test]
fn fewer_rows_than_none_are_damage() {
    let text = [ByteArray::from("boleto")];
    let mut content = table::<ByteArrayType, Int32Type>(("binary (UTF8)", &text), ("int32", &[1]));
    assert!(summarized("p.parquet", &content, &[]).is_ok());
    // A row group's field 3, the number of its rows, and the beginning of its field 5:
    // <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>, in Thrift's compact protocol.
    let rows = b"\x16\x02\x26";
    let at = content.windows(rows.len()).rposition(|part| part == rows).unwrap() + 1;
    content[at] = 1;
    let error = summarized("p.parquet", &content, &[]).unwrap_err();
    assert!(error.contains("the Parquet data is damaged"), "{error}");
}
