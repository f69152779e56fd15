//! A text cut into what stands as it is and the names in its `${…}`.

/// A part of a text.
pub enum Piece<'a> {
    /// It stands as it is.
    Literal(&'a str),
    /// `$${`.
    Escaped,
    /// `${name}`. A name of ours may hold others: `${var.ami.${env.region}}`.
    Name {
        /// With what is around it.
        whole: &'a str,
        /// What stands between.
        name: &'a str,
    },
    /// `${` that nothing closes, and what follows.
    Unclosed(&'a str),
}

/// The parts of a text, in order.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            pieces.extend([Piece::Literal(before), Piece::Escaped]);
            rest = from.get(2..).unwrap_or_default();
            continue;
        }
        pieces.push(Piece::Literal(before));
        let Some(end) = end(from) else {
            pieces.push(Piece::Unclosed(from));
            return pieces;
        };
        let whole = from.get(..=end).unwrap_or_default();
        pieces.push(Piece::Name { whole, name: from.get(2..end).unwrap_or_default() });
        rest = from.get(end + 1..).unwrap_or_default();
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

/// Where the name is closed with which a text begins. What others nest, such as the shell's `${A:-${B}}`, is not looked into.
fn end(from: &str) -> Option<usize> {
    let close = from.find('}')?;
    let inner = from.get(2..close)?.find("${").map(|at| at + 2);
    match inner.filter(|inner| {
        holds_names(from.get(2..*inner).unwrap_or_default(), from.get(*inner..).unwrap_or_default())
    }) {
        None => Some(close),
        Some(_) => balanced(from),
    }
}

/// Whether a name that begins so may hold one that begins so.
fn holds_names(before: &str, inner: &str) -> bool {
    let is_plain = before.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '/' | '-'));
    let is_ours = before.contains('/')
        || ["var.", "each.", "existing.", "image."].iter().any(|it| before.starts_with(it));
    is_plain && is_ours && ["${var.", "${env.", "${each."].iter().any(|it| inner.starts_with(it))
}

/// Names in names nest this deep at most: nobody reads more.
const DEEPEST: usize = 8;

fn balanced(from: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = from.get(at..) {
        let next = rest.find(['$', '}'])?;
        let here = rest.get(next..)?;
        if here.starts_with('}') {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at + next);
            }
        }
        let opens = here.starts_with("${");
        depth += usize::from(opens);
        if depth > DEEPEST {
            return None;
        }
        at += next + if opens { 2 } else { 1 };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let name = |piece| match piece {
            Piece::Name { name, .. } => Some(name),
            Piece::Unclosed(_) => Some("unclosed"),
            Piece::Literal(_) | Piece::Escaped => None,
        };
        pieces(text).into_iter().filter_map(name).collect()
    }

    #[test]
    fn names_of_ours_nest_and_those_of_others_are_left_as_they_are() {
        assert_eq!(
            names("${var.ami.${env.region}} ${a/B/c-${each.key}.arn}"),
            ["var.ami.${env.region}", "a/B/c-${each.key}.arn"]
        );
        assert_eq!(names("${var.a.${var.b.${env.name}}.c}"), ["var.a.${var.b.${env.name}}.c"]);
        assert_eq!(names("${A:-${B}} ${A:-${var.b}}"), ["A:-${B", "A:-${var.b"]);
        assert_eq!(names("${var.a.${B}}"), ["var.a.${B"]);
        assert_eq!(names("${var.a.${env.name} x"), ["unclosed"]);
        assert_eq!(names("$${var.a.${env.name}}"), ["env.name"]);
    }
}
