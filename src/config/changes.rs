//! What an edit changes, field by field.

use std::path::PathBuf;

use super::edit::EditError;
use super::syntax::{Entry, Kind, Node, Position};
use super::types::Member;
use crate::backend::BackendRef;
use crate::model::{AgentName, BudgetUsd, Timeout};

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
    /// See [`super::Agent::description`].
    pub description: Field<String>,
    /// See [`super::Agent::timeout`].
    pub timeout: Field<Timeout>,
    /// See [`super::Agent::idle_timeout`].
    pub idle_timeout: Field<Timeout>,
    /// See [`super::Agent::max_budget_usd`].
    pub max_budget_usd: Field<BudgetUsd>,
    /// See [`super::Agent::model`].
    pub model: Field<String>,
    /// See [`super::Agent::permission_mode`].
    pub permission_mode: Field<String>,
    /// See [`super::Agent::allowed_tools`]: removed inherits, empty allows none.
    pub allowed_tools: Field<Vec<String>>,
    /// See [`super::Agent::disallowed_tools`]: removed inherits, empty refuses none.
    pub disallowed_tools: Field<Vec<String>>,
    /// See [`super::Agent::capabilities`].
    pub capabilities: Field<Vec<String>>,
    /// See [`super::Agent::risky_capabilities`].
    pub risky_capabilities: Field<Vec<String>>,
    /// See [`super::Agent::instructions`].
    pub instructions: Field<String>,
    /// See [`super::Agent::backend`].
    pub backend: Field<BackendRef>,
    /// See [`super::Agent::command`].
    pub command: Field<Vec<String>>,
    /// See [`super::Agent::exclusive`].
    pub exclusive: Field<bool>,
    /// See [`super::Agent::trusted`].
    pub trusted: Field<bool>,
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
    /// All but the directory, which the file system has a say in.
    pub(super) fn fields(&self) -> ChangedFields {
        let mut fields = Vec::new();
        push(&mut fields, "description", &self.description, text);
        push(&mut fields, "timeout", &self.timeout, seconds);
        push(&mut fields, "idle_timeout", &self.idle_timeout, seconds);
        push(&mut fields, "max_budget_usd", &self.max_budget_usd, |b| Node::plain(b.dollars().to_string()));
        push(&mut fields, "model", &self.model, text);
        push(&mut fields, "permission_mode", &self.permission_mode, text);
        push(&mut fields, "allowed_tools", &self.allowed_tools, texts);
        push(&mut fields, "disallowed_tools", &self.disallowed_tools, texts);
        push(&mut fields, "capabilities", &self.capabilities, texts);
        push(&mut fields, "risky_capabilities", &self.risky_capabilities, texts);
        push(&mut fields, "instructions", &self.instructions, text);
        push(&mut fields, "backend", &self.backend, |backend| Node::text(backend.name()));
        push(&mut fields, "command", &self.command, texts);
        push(&mut fields, "exclusive", &self.exclusive, |on| Node::plain(on.to_string()));
        push(&mut fields, "trusted", &self.trusted, |on| Node::plain(on.to_string()));
        fields
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

fn texts(texts: &[String]) -> Node<'static> {
    Node::new(Kind::Sequence(texts.iter().map(|item| text(item)).collect()))
}

/// A time limit as the Python original writes it: a number of seconds.
fn seconds(timeout: &Timeout) -> Node<'static> {
    Node::plain(timeout.seconds().to_string())
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
