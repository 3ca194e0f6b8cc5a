//! What an edit changes, field by field.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::agent::{AGENT_KEYS, Agent};
use super::discover::describe;
use super::edit::EditError;
use super::syntax::{Entry, Kind, Node, Position};
use super::types::Member;
use crate::model::{AgentName, FieldValue, Row};

/// What happens to one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It gets this value.
    Set(T),
    /// It is removed, so the default holds.
    Unset,
}

/// Changes to an agent. The default changes nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentChanges {
    /// The directory, which must exist; it cannot be removed.
    pub directory: Option<PathBuf>,
    /// The other keys, each once: its new value, or that it is removed.
    fields: IndexMap<&'static str, Option<FieldValue>>,
}

/// Changes to a group. The default changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupChanges {
    /// See [`super::Group::description`].
    pub description: Field<String>,
    /// See [`super::Group::shared_context`].
    pub shared_context: Field<String>,
    /// See [`super::Group::members`].
    pub members: MemberChanges,
}

/// Who joins a group and who leaves it. The others stay, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberChanges {
    /// New members, and members that are to be used for something else from now on.
    pub put: Vec<Member>,
    /// Members that leave.
    pub remove: Vec<AgentName>,
}

/// The fields that change: their keys, and their new values if they have one.
pub(super) type ChangedFields = Vec<(&'static str, Option<Node<'static>>)>;

impl AgentChanges {
    /// Gives a key this value.
    pub fn set(&mut self, row: &Row<Agent>, value: FieldValue) {
        match value {
            FieldValue::Path(path) => self.directory = Some(path),
            value => drop(self.fields.insert(row.name, Some(value))),
        }
    }

    /// Removes a key, so that its default holds. Says whether nothing else was to happen to it.
    pub fn unset(&mut self, row: &Row<Agent>) -> bool {
        self.fields.insert(row.name, None).flatten().is_none()
    }

    /// Describes a new agent by what its directory says of itself, unless these changes do.
    pub fn describe(&mut self, directory: &Path) {
        const KEY: &str = "description";
        if self.get(KEY).is_none() {
            let description = describe(directory).description;
            if !description.is_empty() {
                self.fields.insert(KEY, Some(FieldValue::Text(description)));
            }
        }
    }

    /// What happens to a key: `None` when it stays as it is.
    pub fn get(&self, name: &str) -> Option<Option<&FieldValue>> {
        self.fields.get(name).map(Option::as_ref)
    }

    /// All but the directory, which the file system has a say in, in the order of the table.
    pub(super) fn fields(&self) -> ChangedFields {
        let changed = AGENT_KEYS.iter().filter_map(|row| Some((row.name, self.fields.get(row.name)?)));
        changed.map(|(name, value)| (name, value.as_ref().map(node))).collect()
    }
}

/// A value as YAML.
fn node(value: &FieldValue) -> Node<'static> {
    match value {
        FieldValue::Path(path) => text(&path.to_string_lossy()),
        FieldValue::Text(value) => text(value),
        // As the Python original writes it: a number of seconds.
        FieldValue::Duration(limit) => Node::plain(limit.seconds().to_string()),
        FieldValue::Dollars(cap) => Node::plain(cap.dollars().to_string()),
        FieldValue::Texts(values) => {
            Node::new(Kind::Sequence(values.iter().map(|item| text(item)).collect()))
        }
        FieldValue::Flag(on) => Node::plain(on.to_string()),
        FieldValue::Count(count) => Node::plain(count.to_string()),
        FieldValue::Object(object) => Node::plain(object.to_string()),
    }
}

impl GroupChanges {
    /// The fields of a group that has these members now.
    pub(super) fn fields(&self, present: &[Member]) -> Result<ChangedFields, EditError> {
        let mut fields = Vec::new();
        push(&mut fields, "description", &self.description, text);
        push(&mut fields, "shared_context", &self.shared_context, text);
        if self.members != MemberChanges::default() {
            fields.push(("members", Some(members(&self.members.applied_to(present)?))));
        }
        Ok(fields)
    }
}

impl MemberChanges {
    /// The members there will be: those who stay, then the new ones.
    fn applied_to(&self, present: &[Member]) -> Result<Vec<Member>, EditError> {
        let is_present = |name: &AgentName| present.iter().any(|member| member.agent == *name);
        if let Some(stranger) = self.remove.iter().find(|name| !is_present(name)) {
            return Err(EditError::NotAMember { name: stranger.clone() });
        }
        let stays = |member: &&Member| !self.remove.contains(&member.agent);
        let mut members: Vec<Member> = present.iter().filter(stays).cloned().collect();
        for new in &self.put {
            match members.iter_mut().find(|member| member.agent == new.agent) {
                Some(member) => *member = new.clone(),
                None => members.push(new.clone()),
            }
        }
        Ok(members)
    }
}

fn push<T: ?Sized, V: std::borrow::Borrow<T>>(
    fields: &mut ChangedFields,
    key: &'static str,
    field: &Field<V>,
    node: impl Fn(&T) -> Node<'static>,
) {
    match field {
        Field::Keep => {}
        Field::Set(value) => fields.push((key, Some(node(value.borrow())))),
        Field::Unset => fields.push((key, None)),
    }
}

fn text(text: &str) -> Node<'static> {
    Node::text(text.to_owned())
}

fn members(members: &[Member]) -> Node<'static> {
    let entry = |key: &'static str, value: &str| Entry {
        key: key.into(),
        at: Position::default(),
        value: text(value),
        merged: false,
    };
    let member = |member: &Member| {
        let mut entries = vec![entry("agent", member.agent.as_str())];
        if !member.use_for.is_empty() {
            entries.push(entry("use_for", &member.use_for));
        }
        Node::new(Kind::Mapping(entries))
    };
    Node::new(Kind::Sequence(members.iter().map(member).collect()))
}
