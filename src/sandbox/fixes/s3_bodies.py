"""S3 takes a body as it is, whatever content type it has; moto reads one of type application/x-www-form-urlencoded as a form, and
stores nothing of it."""

from urllib.parse import unquote

from moto.core.request import Request

FORM = "application/x-www-form-urlencoded"
want_form_data_parsed = Request.want_form_data_parsed.fget


def is_form(request):
    if request.mimetype == FORM:
        claim = request.headers.get("Authorization", "") + unquote(request.query_string.decode(errors="replace"))
        if "/s3/aws4_request" in claim:
            return False
    return want_form_data_parsed(request)


Request.want_form_data_parsed = property(is_form)
