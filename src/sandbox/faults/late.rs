//! A call's work where what was written shows late: what is answered instead, and what is remembered.

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Limited};

use super::lag::{self, Answer};
use crate::reply::{self, Body, BodyError};
use crate::request::Target;
use crate::server::{BODY_LIMIT, State, Work, serve, serve_by_moto};

/// A body to its end. No `async fn`, for whose body the compiler can't tell that it may be sent to another thread.
fn all_of(body: Body) -> BoxFuture<'static, Result<Bytes, BodyError>> {
    Limited::new(body, BODY_LIMIT).collect().map(|read| read.map(|read| read.to_bytes())).boxed()
}

/// Does a call's work where what was written shows late.
pub async fn done(state: &State, work: Work) -> Result<Response<Body>, BodyError> {
    let Work { target, parts, known, stream, finding } = work;
    let response = served(state, &target, parts, known, stream).await;
    finding.wrong().map_or(response, |wrong| Ok(wrong.answer()))
}

async fn served(
    state: &State,
    target: &Target,
    parts: Parts,
    mut known: Bytes,
    mut stream: Option<Body>,
) -> Result<Response<Body>, BodyError> {
    let late = &state.faults.judge.lag;
    let part = lag::part_of(target, &parts.uri);
    if part.is_some()
        && let Some(body) = stream.take()
    {
        known = all_of(body).await?;
    }
    if let Some(instead) = late.instead(&parts.method, target, &parts.uri, &known) {
        return Ok(instead);
    }
    let before = match &part {
        Some(part) if target.write => Some((part, read(state, target, &parts, part).await?)),
        _ => None,
    };
    let response = serve(state, target, parts, known.clone(), stream).await;
    if let Some((part, before)) = before.filter(|_| response.status().is_success()) {
        late.written(part, before);
    }
    if !lag::Memory::minds(target) {
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let answer = Answer::of(&head, body.collect().await?.to_bytes());
    Ok(late.answered(target, &known, answer).given())
}

/// What a read of a part of a bucket's configuration answers now, asked by whoever is about to change it.
async fn read(state: &State, target: &Target, parts: &Parts, part: &str) -> Result<Answer, BodyError> {
    let mut request = Request::get(part).body(reply::whole(Bytes::new()))?;
    *request.headers_mut() = parts.headers.clone();
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::TRANSFER_ENCODING, header::EXPECT] {
        request.headers_mut().remove(name);
    }
    let (head, body) = serve_by_moto(state, target, request).await.into_parts();
    Ok(Answer::of(&head, body.collect().await?.to_bytes()))
}
