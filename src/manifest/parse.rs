//! YAML text → trees, with limits on depth and on what aliases may grow to.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as Marked, Tag};

use super::error::Complaint;
use super::fields::Fields;
use super::masked;
use super::room::{Room, Size};
use super::scalar;
use super::source::{Hidden, LARGEST, Source, Sources, Span};
use super::tree::{Data, Entry, Node, Via};

/// How deep values may nest: AWS's deepest, and then three times as deep.
pub const DEEPEST: usize = 64;
/// What a file may come to once its aliases are expanded: of its text, four times as much as it may hold.
pub const MOST: Size = Size { values: 50_000, bytes: 4 * LARGEST as usize };

/// The documents of a file, and what is wrong with its YAML. After an error that leaves the rest unreadable there are
/// fewer documents than the file has.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The documents, without those that hold nothing.
    pub documents: Vec<Node>,
    /// What is wrong.
    pub complaints: Vec<Complaint>,
    /// The line of the document that had to be left unread, with all that comes after it.
    pub cut: Option<usize>,
    /// Values that the documents do not hold: of a key that is written twice, and what a merge brings in vain. Nobody knows whether they
    /// are masked, so that they are.
    pub dropped: Vec<Hidden>,
}

/// Reads all documents of a file.
pub fn parse(file: usize, sources: &mut Sources) -> Parsed {
    let parsed = sources.get(file).map(|source| parse_within(file, source, &Room::default()));
    let mut parsed = parsed.unwrap_or_default();
    sources.hide(std::mem::take(&mut parsed.dropped));
    if let Some(line) = parsed.cut {
        sources.could_not_read(file, line);
    }
    parsed
}

/// The same, as part of what takes `room` together.
pub fn parse_within(file: usize, source: &Source, room: &Room) -> Parsed {
    let mut builder = Builder {
        file,
        text: &source.text,
        lines: source.text.lines().count(),
        parsed: Parsed::default(),
        frames: Vec::new(),
        anchors: BTreeMap::new(),
        past: BTreeSet::new(),
        dropped: BTreeMap::new(),
        begun: 1,
        here: Room::of(MOST),
        room,
    };
    let mut parser = Parser::new_from_str(&source.text);
    while let Some(event) = parser.next_event() {
        let done = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(scan_error(file, &source.text, &error)),
        };
        if let Err(complaint) = done {
            builder.parsed.complaints.push(complaint);
            builder.parsed.cut = Some(builder.begun);
            break;
        }
    }
    let dropped = std::mem::take(&mut builder.dropped);
    builder.parsed.dropped =
        dropped.into_iter().map(|(span, last)| Hidden { span, last, value: String::new() }).collect();
    builder.parsed
}

/// A collection that is not complete yet.
struct Frame {
    node: Node,
    anchor: usize,
    /// Of a mapping: the key whose value comes next.
    key: Option<(String, Span)>,
    /// Of a mapping: its keys, and which entry has each.
    keys: BTreeMap<String, usize>,
    /// Of a mapping: what `<<` brings.
    merged: Vec<Node>,
}

struct Builder<'t> {
    file: usize,
    text: &'t str,
    lines: usize,
    parsed: Parsed,
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, (Node, Size)>,
    /// Anchors of the documents before this one: they hold no longer (YAML 1.2.2, 6.9.2).
    past: BTreeSet<usize>,
    /// Where values are written that are in no document, each with its last line.
    dropped: BTreeMap<Span, usize>,
    /// The line at which the document begins.
    begun: usize,
    /// Of this file, and of all.
    here: Room,
    room: &'t Room,
}

type Done = Result<(), Complaint>;

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, marked: Marked) -> Done {
        let span = self.span(marked);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let data = self.scalar(&text, style, tag, span)?;
                let last_line = self.last_line(marked, style);
                self.complete(Node { last_line, ..Node::new(data, span) }, anchor)
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor) else {
                    return Err(self.unknown_anchor(anchor, span));
                };
                self.count(*size, span)?;
                self.deep(depth(node), span)?;
                let node = node.clone();
                self.complete(Node { span, ..node }, 0)
            }
            Event::SequenceStart(anchor, tag) => self.open(Data::List(Vec::new()), anchor, tag, span),
            Event::MappingStart(anchor, tag) => self.open(Data::Map(Fields::default()), anchor, tag, span),
            Event::SequenceEnd | Event::MappingEnd => match self.frames.pop() {
                Some(frame) => {
                    let anchor = frame.anchor;
                    let node = self.close(frame);
                    self.complete(node, anchor)
                }
                None => Ok(()),
            },
            Event::DocumentEnd => {
                self.begun = span.line;
                Ok(())
            }
            Event::DocumentStart(_) => {
                self.past.extend(std::mem::take(&mut self.anchors).into_keys());
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd => Ok(()),
        }
    }

    fn unknown_anchor(&self, anchor: usize, span: Span) -> Complaint {
        if !self.past.contains(&anchor) {
            return Complaint::new(span, "an alias can't stand inside of what it stands for");
        }
        let line = self.text.lines().nth(span.line.saturating_sub(1)).unwrap_or_default();
        let written: String = line.chars().skip(span.column).take(span.width.saturating_sub(1)).collect();
        let message = format!("the anchor `&{written}` belongs to another document of this file");
        Complaint::new(span, message)
            .help("anchors end with their document, at `---`: write the value out here")
    }

    fn span(&self, marked: Marked) -> Span {
        let (start, end) = (marked.start, marked.end);
        // What goes on over several lines is marked on its first: the renderer ends the marker with the line.
        let width =
            if start.line() == end.line() { end.col().saturating_sub(start.col()) } else { Span::OVER_LINES };
        Span { file: self.file, line: start.line(), column: start.col() + 1, width: width.max(1) }
    }

    /// A block's end is where the next thing begins, unless the file ends with it.
    fn last_line(&self, marked: Marked, style: ScalarStyle) -> usize {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let ends_file = self.lines <= marked.end.line();
        marked.end.line().saturating_sub(usize::from(is_block && !ends_file))
    }

    fn count(&self, more: Size, span: Span) -> Done {
        for (room, of) in [(&self.here, "in this file"), (self.room, "in the manifests")] {
            if !room.take(more) {
                let complaint = room.ended(span, &format!("{of} once its aliases are expanded"));
                let complaint =
                    complaint.unwrap_or_else(|| Complaint::new(span, "the manifests are too large"));
                return Err(
                    complaint.help("write fewer aliases, or keep generated data out of the manifests")
                );
            }
        }
        Ok(())
    }

    fn deep(&self, more: usize, span: Span) -> Done {
        if self.frames.len() + more <= DEEPEST {
            return Ok(());
        }
        Err(too_deep(span))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<Cow<'_, Tag>>,
        span: Span,
    ) -> Result<Data, Complaint> {
        self.count(Size { values: 1, bytes: text.len() }, span)?;
        let Some(tag) = tag else {
            return Ok(match style {
                ScalarStyle::Plain => scalar::plain(text),
                _ => Data::Text(text.to_owned()),
            });
        };
        match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
            (true, "str") => Ok(Data::Text(text.to_owned())),
            (true, "int" | "float" | "bool" | "null") => Ok(scalar::plain(text)),
            _ => Err(unknown_tag(&tag, span)),
        }
    }

    fn open(&mut self, data: Data, anchor: usize, tag: Option<Cow<'_, Tag>>, span: Span) -> Done {
        if let Some(tag) =
            tag.filter(|tag| !(tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "map" | "seq")))
        {
            return Err(unknown_tag(&tag, span));
        }
        self.count(Size { values: 1, bytes: 0 }, span)?;
        self.deep(1, span)?;
        // A block collection's span has no width worth marking.
        let node = Node::new(data, Span { width: 1, ..span });
        self.frames.push(Frame { node, anchor, key: None, keys: BTreeMap::new(), merged: Vec::new() });
        Ok(())
    }

    fn close(&mut self, mut frame: Frame) -> Node {
        let merged = std::mem::take(&mut frame.merged);
        if let Data::Map(fields) = &mut frame.node.data {
            // The mapping's own keys win, then those of the merge that comes first.
            for entry in merged.iter().flat_map(Node::entries) {
                if frame.keys.contains_key(&entry.key) {
                    self.drop_value(&entry.key, entry.at, &entry.value);
                } else {
                    frame.keys.insert(entry.key.clone(), fields.len());
                    fields.entries_mut().push(entry.clone());
                }
            }
        }
        frame.node
    }

    /// Notes where a value is written that is in no document.
    fn drop_value(&mut self, name: &str, key: Span, value: &Node) {
        let last = value.ends().max(key.line);
        let mut span =
            if masked::is_a_word(name) { key.rest() } else { Span { width: Span::OVER_LINES, ..key } };
        if last == key.line && value.written().is_some() && value.span.line == key.line {
            span.width = value.span.column.saturating_add(value.span.width).saturating_sub(span.column);
        }
        self.dropped.insert(span, last);
        let mut via = value.via.as_deref();
        while let Some(Via { span, last_line, before, .. }) = via {
            self.dropped.insert(*span, span.line.max(*last_line));
            via = before.as_deref();
        }
    }

    /// Puts a complete value where it belongs.
    fn complete(&mut self, node: Node, anchor: usize) -> Done {
        if anchor > 0 {
            let size = node.size();
            self.count(size, node.span)?;
            // What is inside of lists and mappings knows its own place.
            let via = node.written().map(|_| node.origin(false));
            self.anchors.insert(anchor, (Node { via, ..node.clone() }, size));
        }
        let Some(frame) = self.frames.last_mut() else {
            if node.data != Data::Null {
                self.parsed.documents.push(node);
            }
            return Ok(());
        };
        let Data::Map(fields) = &mut frame.node.data else {
            if let Data::List(items) = &mut frame.node.data {
                items.push(node);
            }
            return Ok(());
        };
        match frame.key.take() {
            None => frame.key = Some(key_of(&node)?),
            Some((key, at)) if key == "<<" => merge(&mut frame.merged, node, at)?,
            Some((key, at)) => match frame.keys.get(&key).and_then(|first| fields.get(*first)) {
                Some(first) => {
                    // Any other may be a part of what is masked.
                    let message = match masked::is_a_word(&key) {
                        true => format!("the key `{key}` is written twice"),
                        false => "a key is written twice".to_owned(),
                    };
                    let complaint = Complaint::new(at, message)
                        .related(first.at, "first here")
                        .help("keep one of the two: nothing says which would count");
                    self.parsed.complaints.push(complaint);
                    self.drop_value(&key, at, &node);
                }
                None => {
                    frame.keys.insert(key.clone(), fields.len());
                    fields.entries_mut().push(Entry { key, at, value: node });
                }
            },
        }
        Ok(())
    }
}

fn merge(merged: &mut Vec<Node>, node: Node, at: Span) -> Done {
    let wrong =
        || Complaint::new(at, "`<<` takes a mapping, or a list of mappings").help("write `<<: *anchor`");
    match node.data {
        Data::Map(_) => merged.push(node),
        Data::List(items) if items.iter().all(|item| matches!(item.data, Data::Map(_))) => {
            merged.extend(items)
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

fn key_of(node: &Node) -> Result<(String, Span), Complaint> {
    let text = match &node.data {
        Data::Text(text) if !text.is_empty() => text.clone(),
        Data::Number(_, text) | Data::Bool(_, text) => text.clone(),
        _ => {
            return Err(Complaint::new(node.span, format!("a key must be a text, not {}", node.described())));
        }
    };
    Ok((text, node.span))
}

fn depth(node: &Node) -> usize {
    let inner = node.items().iter().chain(node.entries().iter().map(|entry| &entry.value)).map(depth).max();
    inner.map_or(0, |inner| inner + 1).max(usize::from(matches!(node.data, Data::List(_) | Data::Map(_))))
}

fn too_deep(span: Span) -> Complaint {
    Complaint::new(span, format!("values are nested more than {DEEPEST} deep"))
        .help("no AWS resource nests this deep: look for a missing closing bracket or a slipped indentation")
}

/// CloudFormation's short forms: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>
const SHORT_FORMS: &[&str] = &[
    "And",
    "Base64",
    "Cidr",
    "Condition",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Not",
    "Or",
    "Ref",
    "Select",
    "Split",
    "Sub",
    "Transform",
];

/// Only what is surely a tag is named: a password may begin with `!`.
fn unknown_tag(tag: &Tag, span: Span) -> Complaint {
    if tag.handle == "!" && SHORT_FORMS.contains(&tag.suffix.as_str()) {
        return Complaint::new(span, format!("the YAML tag `{tag}` is not understood here")).help(
            "CloudFormation's `!Ref`, `!GetAtt` and `!Sub` are all written `${<service>/<Kind>/<name>.<output>}`",
        );
    }
    Complaint::new(span, "a YAML tag is not understood here")
        .help("a text that begins with `!` goes in quotes")
}

fn scan_error(file: usize, text: &str, error: &ScanError) -> Complaint {
    let mark = error.marker();
    let line = mark.line().max(1);
    let info = error.info();
    if let Some(complaint) = tab(file, text, line).or_else(|| tab(file, text, line.saturating_sub(1))) {
        return complaint;
    }
    let span = Span { file, line, column: mark.col() + 1, width: 1 };
    if info.contains("recursion limit") {
        return too_deep(span);
    }
    let complaint = Complaint::new(span, format!("not valid YAML: {info}"));
    if info.contains("mapping values are not allowed") {
        return complaint.help(
            "put a text that holds `: ` in quotes, and check the indentation of this line and the one before",
        );
    }
    if let Some(complaint) = tab_after(file, text, mark, info) {
        return complaint;
    }
    let flow = info.contains("expected ','");
    if flow && text.lines().nth(line - 1).is_some_and(|written| written.contains("${")) {
        return complaint.help("inside of `{…}` and `[…]`, put a text with `${…}` in quotes: \"${var.x}\"");
    }
    if info.contains("start with any character") || info.contains("unexpected character") {
        return complaint.help("put a text that begins with `@`, a backtick, `%`, `*`, `&` or `!` in quotes");
    }
    complaint
}

/// The tab that indents a line, if one does: the parser has no clear words for it.
fn tab(file: usize, text: &str, line: usize) -> Option<Complaint> {
    let written = text.lines().nth(line.checked_sub(1)?)?;
    let indent: String = written.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let column = indent.chars().position(|c| c == '\t')? + 1;
    let span = Span { file, line, column, width: 1 };
    Some(Complaint::new(span, "a tab in the indentation").help("indent with spaces: YAML takes no tabs here"))
}

/// The tab behind the mark at which the parser gave up. YAML 1.2.2 (6.2) takes it for white space; the parser does not.
fn tab_after(file: usize, text: &str, mark: &Marker, info: &str) -> Option<Complaint> {
    let wants_space = info.contains("YAML whitespace") || info.contains("tab");
    let written: Vec<char> =
        text.lines().nth(mark.line().max(1) - 1).filter(|_| wants_space)?.chars().collect();
    let from = mark.col().saturating_sub(1).min(written.len());
    let found = written.get(from..)?.iter().position(|c| *c == '\t')?;
    let span = Span { file, line: mark.line(), column: from + found + 1, width: 1 };
    let before = found.checked_add(from)?.checked_sub(1).and_then(|at| written.get(at))?;
    let message = match before.is_ascii_punctuation() {
        true => format!("a tab after `{before}`"),
        false => "a tab between two texts".to_owned(),
    };
    Some(Complaint::new(span, message).help("write a space: tabs are not taken here"))
}
