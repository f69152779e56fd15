//! One comment of ours on a pull request: found, edited, never repeated.

use serde_json::{Value, json};

use super::{Client, Error, Marker, Result};
use crate::outside::Markdown;

/// A comment of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// GitHub's number for it.
    pub id: u64,
    /// Its text.
    pub body: String,
    /// Its page.
    pub url: String,
    /// What the GraphQL API knows it by.
    node: String,
}

/// How often a comment is looked for after an answer got lost.
const LOOKS: usize = 3;

/// Our comment on a pull request: the oldest that begins with the marker and was written by `author`.
pub async fn comment_of(
    client: &Client,
    number: u64,
    marker: Marker<'_>,
    author: &str,
) -> Result<Option<Comment>> {
    Ok(ours(client, number, marker, author).await?.into_iter().next())
}

/// Writes our comment: edits it if it is there, makes it otherwise, leaves it if it says this already. Should two of them
/// exist (two runs at once), the younger go.
pub async fn upsert(
    client: &Client,
    number: u64,
    marker: Marker<'_>,
    author: &str,
    body: &Markdown,
) -> Result<Comment> {
    let mut lost = None;
    for _ in 0..LOOKS {
        let mut found = ours(client, number, marker, author).await?.into_iter();
        if let Some(comment) = found.next() {
            for repeated in found {
                client.delete(&format!("/issues/comments/{}", repeated.id)).await?;
            }
            if comment.body.trim_end() != body.trim_end() {
                client
                    .patch(&format!("/issues/comments/{}", comment.id), &json!({ "body": &**body }))
                    .await?;
            }
            return Ok(Comment { body: body.to_string(), ..comment });
        }
        match client.post(&format!("/issues/{number}/comments"), &json!({ "body": &**body })).await {
            Ok(made) => return read(&made).ok_or_else(|| malformed(number)),
            // It may be there: look before it is made again.
            Err(error @ Error::Unknown { .. }) => lost = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(lost.unwrap_or_else(|| malformed(number)))
}

/// Who else edited a comment after its author wrote it: whoever may write to the repository can edit the bot's comments.
pub async fn edited_by_another(client: &Client, comment: &Comment) -> Result<Option<String>> {
    const QUERY: &str = "query($id: ID!) { node(id: $id) { ... on IssueComment { author { __typename login } editor { __typename login } } } }";
    let said = client.query(QUERY, &json!({ "id": comment.node })).await?;
    let said = said.get("node").filter(|node| node.is_object());
    let Some(said) = said else {
        let message = "nothing is known of who edited the comment".to_owned();
        return Err(Error::Unknown { method: "POST", path: "/graphql".to_owned(), message });
    };
    let editor = said.get("editor").filter(|editor| !editor.is_null());
    let another = editor.filter(|editor| said.get("author") != Some(editor));
    Ok(another.map(|it| it.get("login").and_then(Value::as_str).unwrap_or("somebody").to_owned()))
}

async fn ours(client: &Client, number: u64, marker: Marker<'_>, author: &str) -> Result<Vec<Comment>> {
    let all = client.list(&format!("/issues/{number}/comments?per_page=100")).await?;
    let by_us =
        all.iter().filter(|comment| comment.pointer("/user/login").and_then(Value::as_str) == Some(author));
    let mut found: Vec<Comment> =
        by_us.filter_map(read).filter(|comment| marker.opens(&comment.body)).collect();
    found.sort_by_key(|comment| comment.id);
    Ok(found)
}

fn read(comment: &Value) -> Option<Comment> {
    let text = |key: &str| comment.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Comment {
        id: comment.get("id")?.as_u64()?,
        body: text("body"),
        url: text("html_url"),
        node: text("node_id"),
    })
}

fn malformed(number: u64) -> Error {
    let path = format!("/issues/{number}/comments");
    Error::Unknown { method: "POST", path, message: "the answer names no comment".to_owned() }
}
