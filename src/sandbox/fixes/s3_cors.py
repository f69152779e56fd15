"""Rules about sites in browsers, and forms from them, as S3 takes them, where moto differs."""

import xmltodict
from moto.s3 import exceptions
from moto.s3.responses import S3Response


# Methods and origins are required, and each entry is a text:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CORSRule.html
def cors_from_body(self):
    try:
        said = xmltodict.parse(self.body, force_list=FIELDS)["CORSConfiguration"]["CORSRule"]
    except Exception:  # not XML, or another document
        raise exceptions.MalformedXML() from None
    for rule in said:
        if not isinstance(rule, dict) or not all(rule.get(name) for name in ("AllowedMethod", "AllowedOrigin")):
            raise exceptions.MalformedXML()
        if any(entry is not None and not isinstance(entry, str) for name in FIELDS[1:] for entry in rule.get(name, ())):
            raise exceptions.MalformedXML()
        if any(entry is None for name in ("AllowedMethod", "AllowedOrigin") for entry in rule[name]):
            raise exceptions.MalformedXML()
        for name in ("AllowedHeader", "ExposeHeader"):
            if name in rule:
                rule[name] = [entry or "" for entry in rule[name]]
        for name in ("ID", "MaxAgeSeconds"):
            if name in rule and not isinstance(rule[name], str):
                del rule[name]
    return said


FIELDS = ("CORSRule", "AllowedMethod", "AllowedOrigin", "AllowedHeader", "ExposeHeader")
S3Response._cors_from_body = cors_from_body


# https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
class NoKey(exceptions.S3ClientError):
    code = 400

    def __init__(self):
        super().__init__(
            "InvalidArgument",
            "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
        )


bucket_response_post = S3Response._bucket_response_post


def with_a_key(self, request, bucket_name):
    self.path = self._get_path(request)
    if request.headers.get("Content-Length") and not self.is_delete_keys() and "key" not in self.querystring:
        raise NoKey()
    return bucket_response_post(self, request, bucket_name)


S3Response._bucket_response_post = with_a_key
