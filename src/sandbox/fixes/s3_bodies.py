"""S3 takes a body as it is, whatever content type it has; moto reads one of a form's types as a form, and
stores nothing of it. Only what a browser posts to a bucket is a form
(https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html)."""

from urllib.parse import unquote

from moto.core.request import Request

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
want_form_data_parsed = Request.want_form_data_parsed.fget


def is_form(request):
    if request.mimetype == FORM or (request.mimetype == PARTS and request.method != "POST"):
        claim = request.headers.get("Authorization", "") + unquote(request.query_string.decode(errors="replace"))
        if "/s3/aws4_request" in claim:
            return False
    return want_form_data_parsed(request)


Request.want_form_data_parsed = property(is_form)
