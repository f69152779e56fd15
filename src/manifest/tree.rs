//! A YAML document as a tree in which every value and every key knows where it stands.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use super::fields::Fields;
use super::room::Size;
use super::source::Span;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub data: Data,
    /// Where it begins.
    pub span: Span,
    /// Where the value is written that a variable or an alias brought here.
    pub via: Option<Arc<Via>>,
    /// The last of the lines that it takes, if those are several.
    pub last_line: usize,
    /// Whether it is masked wherever it is shown ([`masked`](super::masked)).
    pub masked: bool,
    /// Whether the key before it is masked as well: it is no field that we know, and may be anything.
    pub key_masked: bool,
}

/// Where a value is written that stands elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Via {
    /// Where it begins.
    pub span: Span,
    /// The last of its lines, if those are several.
    pub last_line: usize,
    /// Whether a variable brought it, and not an alias.
    pub is_variable: bool,
    /// What brought it there.
    pub before: Option<Arc<Via>>,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`, and how it was written.
    Bool(bool, String),
    /// A number, and how it was written.
    Number(Number, String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order in which it was written; keys are unique.
    Map(Fields),
    /// A text whose variables are not known: complained about already, and nothing more to be said of it.
    Broken(String),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Span,
    /// Its value.
    pub value: Node,
}

/// One step from a value to a value inside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A key of a mapping.
    Key(String),
    /// An item of a list, 0-based.
    Item(usize),
}

impl Node {
    /// A value at a place.
    pub fn new(data: Data, span: Span) -> Self {
        Self { data, span, via: None, last_line: 0, masked: false, key_masked: false }
    }

    /// The same place with another value.
    pub fn with(&self, data: Data) -> Self {
        let Self { span, last_line, masked, key_masked, .. } = *self;
        Self { data, span, via: self.via.clone(), last_line, masked, key_masked }
    }

    /// The place of a value, without the value.
    pub fn clone_bare(&self) -> Self {
        self.with(Data::Null)
    }

    /// Where it is written, for what brings it to another place.
    pub fn origin(&self, is_variable: bool) -> Arc<Via> {
        let before = self.via.clone();
        Arc::new(Via { span: self.span, last_line: self.last_line, is_variable, before })
    }

    /// Its last line.
    pub fn ends(&self) -> usize {
        let items = self.items().iter().map(Self::ends);
        let entries = self.entries().iter().map(|entry| entry.at.line.max(entry.value.ends()));
        // What is written as nothing has no place of its own.
        let own = if self.data == Data::Null { 0 } else { self.span.line.max(self.last_line) };
        items.chain(entries).max().unwrap_or_default().max(own)
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list.
    pub fn items(&self) -> &[Node] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// An entry of a mapping.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Map(fields) => fields.entry(key),
            _ => None,
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The text that it is.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text that it is, unless a reference in it stands for something else.
    pub fn literal(&self) -> Option<&str> {
        self.text().filter(|text| !text.contains("${"))
    }

    /// A value that is no list and no mapping, as it is written.
    pub fn written(&self) -> Option<&str> {
        match &self.data {
            Data::Bool(_, text) | Data::Number(_, text) | Data::Text(text) | Data::Broken(text) => Some(text),
            Data::Null | Data::List(_) | Data::Map(_) => None,
        }
    }

    /// Whether something in it could not be told, and has been complained about.
    pub fn is_broken(&self) -> bool {
        matches!(self.data, Data::Broken(_))
            || self.items().iter().any(Self::is_broken)
            || self.entries().iter().any(|entry| entry.value.is_broken())
    }

    /// How much there is in it, itself included.
    pub fn size(&self) -> Size {
        let mut size = Size { values: 1, bytes: self.written().map_or(0, str::len) };
        let mut add = |more: Size| {
            size.values += more.values;
            size.bytes += more.bytes;
        };
        self.items().iter().for_each(|item| add(item.size()));
        for entry in self.entries() {
            add(Size { values: 0, bytes: entry.key.len() });
            add(entry.value.size());
        }
        size
    }

    /// The value without its places.
    pub fn to_json(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(it, _) => Value::Bool(*it),
            Data::Number(number, _) => Value::Number(number.clone()),
            Data::Text(text) | Data::Broken(text) => Value::String(text.clone()),
            Data::List(items) => items.iter().map(Node::to_json).collect(),
            Data::Map(entries) => {
                let fields = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }

    /// The typed value that it spells (D7). All YAML that becomes a type passes here, so that the library is exchanged in one
    /// place.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_yaml::Error> {
        serde_yaml::from_value(serde_yaml::to_value(self.to_json())?)
    }

    /// What it is, in words: ``text `abc` ``. What is masked is not repeated.
    pub fn described(&self) -> String {
        match &self.data {
            Data::Bool(..) if self.masked => "a boolean".to_owned(),
            Data::Number(..) if self.masked => "a number".to_owned(),
            Data::Text(_) | Data::Broken(_) if self.masked => "a text".to_owned(),
            Data::Null => "nothing".to_owned(),
            Data::Bool(_, text) => format!("the boolean `{text}`"),
            Data::Number(_, text) => format!("the number `{text}`"),
            Data::Text(text) | Data::Broken(text) => format!("the text `{}`", shortened(text)),
            Data::List(_) => "a list".to_owned(),
            Data::Map(_) => "a mapping".to_owned(),
        }
    }

    /// What a path leads to, and where that stands: the key of a field, the item of a list. Where the path leads
    /// nowhere, the last that it passes.
    pub fn follow(&self, path: &[Step]) -> (&Node, Span) {
        let mut node = self;
        let mut span = self.span;
        for step in path {
            match step {
                Step::Key(key) => match node.entry(key) {
                    Some(entry) => (node, span) = (&entry.value, entry.at),
                    None => break,
                },
                Step::Item(index) => match node.items().get(*index) {
                    Some(item) => (node, span) = (item, item.span),
                    None => break,
                },
            }
        }
        (node, span)
    }

    /// Calls `see` for each field and item with its path, such as `containerProperties.command[0]`, and its place.
    pub fn each(&self, path: &str, see: &mut dyn FnMut(&str, Span)) {
        for entry in self.entries() {
            let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
            see(&path, entry.at);
            entry.value.each(&path, see);
        }
        for (index, item) in self.items().iter().enumerate() {
            let path = format!("{path}[{index}]");
            see(&path, item.span);
            item.each(&path, see);
        }
    }
}

/// The steps of a JSON pointer; `node` tells keys that are digits from items.
pub fn steps(node: &Node, pointer: &str) -> Vec<Step> {
    let mut at = Some(node);
    let mut steps = Vec::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let item = match at.map(|node| &node.data) {
            Some(Data::List(_)) => part.parse().ok(),
            _ => None,
        };
        at = match item {
            Some(index) => at.and_then(|node| node.items().get(index)),
            None => at.and_then(|node| node.get(&part)),
        };
        steps.push(item.map_or(Step::Key(part), Step::Item));
    }
    steps
}

/// The steps of a field path such as `computeResources.subnets[0]`; a key that holds points is quoted, as in
/// `limits["nvidia.com/gpu"]`.
pub fn path_steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let (key, after) = quoted.split_once("\"]").unwrap_or((quoted, ""));
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        } else if let Some(item) = rest.strip_prefix('[') {
            let (index, after) = item.split_once(']').unwrap_or((item, ""));
            steps.extend(index.parse().ok().map(Step::Item));
            rest = after;
        } else {
            let field = rest.trim_start_matches('.');
            let (key, after) = field.split_at(field.find(['.', '[']).unwrap_or(field.len()));
            steps.extend((!key.is_empty()).then(|| Step::Key(key.to_owned())));
            rest = after;
        }
    }
    steps
}

/// The steps as a field path.
pub fn path_of(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(key) if path.is_empty() => path.push_str(key),
            Step::Key(key) => {
                path.push('.');
                path.push_str(key);
            }
            Step::Item(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// A text for a message: its first characters.
pub fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
