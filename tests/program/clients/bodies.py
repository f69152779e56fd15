"""Bodies as boto3 sends and signs them: stored as they are, whatever their type, and refused if they are not what was signed."""

import base64
import hashlib
import io
import urllib.error
import urllib.request
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

FORM = "application/x-www-form-urlencoded"
config = Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 0})
s3 = boto3.client("s3", config=config)
bucket = "bodies-" + boto3.client("sts").get_caller_identity()["Account"]
s3.create_bucket(Bucket=bucket)


def stored(key):
    got = s3.get_object(Bucket=bucket, Key=key)
    return got["Body"].read(), got["ContentType"]


def send(url, headers, body):
    request = urllib.request.Request(url, data=body, headers=headers, method="PUT")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Said(S3SigV4Auth):
    """Signs what it is told that the body is."""

    def __init__(self, said):
        session = boto3.session.Session()
        super().__init__(session.get_credentials(), "s3", session.region_name)
        self.said = said

    def payload(self, request):
        return self.said or super().payload(request)


def put(key, signed, sent, said=None, **headers):
    url = f"{s3.meta.endpoint_url}/{bucket}/{key}"
    request = AWSRequest("PUT", url, data=signed, headers={name.replace("_", "-"): it for name, it in headers.items()})
    Said(said).add_auth(request)
    return send(url, dict(request.headers.items()), sent)


def check(answer, status, code=""):
    assert answer[0] == status and (not code or f"<Code>{code}</Code>" in answer[1]), answer


# What AWS takes as it is.
url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "presigned", "ContentType": FORM})
check(send(url, {"Content-Type": FORM}, b"a=1&b=2"), 200)
assert stored("presigned") == (b"a=1&b=2", FORM), stored("presigned")
s3.put_object(Bucket=bucket, Key="form", Body=b"key=1&file=%20", ContentType=FORM)
assert stored("form") == (b"key=1&file=%20", FORM), stored("form")
PARTS = "multipart/form-data; boundary=x"
part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
for body in (b"--x\r\nhello", part):
    s3.put_object(Bucket=bucket, Key="parts", Body=body, ContentType=PARTS)
    assert stored("parts") == (body, PARTS), stored("parts")
url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "parts", "ContentType": PARTS})
check(send(url, {"Content-Type": PARTS}, part + b"more"), 200)
assert stored("parts") == (part + b"more", PARTS), stored("parts")
s3.put_object(Bucket=bucket, Key="empty", Body=b"")
assert stored("empty")[0] == b""
large = bytes(range(256)) * 40_000
s3.upload_fileobj(io.BytesIO(large), bucket, "large", Config=TransferConfig(multipart_threshold=6_000_000, multipart_chunksize=6_000_000))
assert stored("large")[0] == large
for algorithm in ("CRC32", "SHA256"):
    s3.put_object(Bucket=bucket, Key="sum", Body=io.BytesIO(b"sum"), ChecksumAlgorithm=algorithm)
    assert stored("sum")[0] == b"sum"
check(put("unsigned", b"x", b"whatever", "UNSIGNED-PAYLOAD"), 200)
assert stored("unsigned")[0] == b"whatever"

# What is not what was signed: S3 stores nothing of it.
check(put("form", b"signed", b"other!"), 400, "XAmzContentSHA256Mismatch")
check(put("form", b"signed", b"sign"), 400, "XAmzContentSHA256Mismatch")
check(put("form", b"", b"other"), 400, "XAmzContentSHA256Mismatch")
check(put("form", large, large[:-1] + b"x"), 400, "XAmzContentSHA256Mismatch")
check(put("form", b"x", b"x", "sha256"), 400, "InvalidArgument")
assert stored("form") == (b"key=1&file=%20", FORM)

# In pieces, with a checksum behind the last.
trailer = {"x_amz_trailer": "x-amz-checksum-crc32", "content_encoding": "aws-chunked", "x_amz_decoded_content_length": "6"}
crc32 = base64.b64encode(zlib.crc32(b"foobar").to_bytes(4, "big")).decode()
pieces = f"3\r\nfoo\r\n3\r\nbar\r\n0\r\nx-amz-checksum-crc32:{crc32}\r\n\r\n".encode()
said = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
check(put("pieces", pieces, pieces, said, content_type=FORM, **trailer), 200)
assert stored("pieces") == (b"foobar", FORM), stored("pieces")
check(put("pieces", pieces, pieces.replace(b"bar", b"baz"), said, **trailer), 400, "BadDigest")
check(put("pieces", pieces, pieces[:10], said, **trailer), 400, "IncompleteBody")
check(put("pieces", pieces, pieces.replace(b"3\r\nfoo\r\n", b""), said, **trailer), 400, "IncompleteBody")
assert stored("pieces")[0] == b"foobar"

# What its other headers say of it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
md5, sha256 = (base64.b64encode(made(b"foobar").digest()).decode() for made in (hashlib.md5, hashlib.sha256))
sums = {"content_md5": md5, "x_amz_checksum_crc32": crc32, "x_amz_checksum_sha256": sha256}
for name, value in sums.items():
    check(put("sums", b"foobar", b"foobar", **{name: value}), 200)
    assert stored("sums")[0] == b"foobar"
    check(put("sums", b"foobaz", b"foobaz", **{name: value}), 400, "BadDigest")
    check(put("sums", b"", b"", **{name: value}), 400, "BadDigest")
    check(put("sums", b"foobaz", b"foobaz", "UNSIGNED-PAYLOAD", **{name: value}), 400, "BadDigest")
check(put("sums", b"x", b"x", content_md5="bad"), 400, "InvalidDigest")
check(put("sums", b"x", b"x", content_md5=sha256), 400, "InvalidDigest")
check(put("sums", b"x", b"x", x_amz_checksum_crc32=sha256), 400, "InvalidRequest")
check(put("sums", b"foobar", b"foobar", x_amz_checksum_crc32=crc32, x_amz_checksum_sha256=sha256), 400, "InvalidRequest")
assert stored("sums")[0] == b"foobar"

# Of an upload in parts, the header says what the whole object comes to, not the list of its parts.
whole = {"Bucket": bucket, "Key": "whole"}
upload = s3.create_multipart_upload(**whole, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")["UploadId"]
got = s3.upload_part(**whole, UploadId=upload, PartNumber=1, Body=b"foobar", ChecksumCRC32=crc32)
listed = {"Parts": [{"PartNumber": 1, "ETag": got["ETag"], "ChecksumCRC32": crc32}]}
s3.complete_multipart_upload(**whole, UploadId=upload, MultipartUpload=listed, ChecksumCRC32=crc32, ChecksumType="FULL_OBJECT")
assert stored("whole")[0] == b"foobar"
