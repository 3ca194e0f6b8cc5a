//! From a YAML tree to a [`Config`]: every value is checked here, once, and every complaint knows its key,
//! line and column.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use indexmap::IndexMap;

use super::agent::{AGENT_KEYS, Agent};
use super::fields::{
    Decoded, Key, Problem, at_least, boolean, flag, list, mapping, or_default, parsed, string, strings, text,
    tools,
};
use super::settings::{Cache, SETTINGS_KEYS, Settings, UsageLog};
use super::syntax::{Entry, Kind, Node, Position};
use super::types::{Config, Group, Member, Warning, nearest};
use crate::backend::{Backends, Executable};
use crate::model::{AgentName, BudgetUsd, FieldValue, Row, Slot, Timeout, shown};

pub(super) const ROOT_KEYS: [&str; 3] = ["agents", "groups", "settings"];
pub(super) const GROUP_KEYS: [&str; 3] = ["description", "shared_context", "members"];
pub(super) const MEMBER_KEYS: [&str; 2] = ["agent", "use_for"];
pub(super) const CACHE_KEYS: [&str; 3] = ["enabled", "ttl", "max_size"];

/// Where paths in a config start from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    /// What a relative path is relative to: the folder of the config.
    pub(super) base: &'a Path,
    /// What `~` stands for.
    pub(super) home: Option<&'a Path>,
}

impl Places<'_> {
    /// `text` as an absolute path. Symbolic links and `..` are left to the operating system.
    pub(super) fn absolute(&self, text: &str) -> Result<PathBuf, String> {
        if text.is_empty() || text.contains('\0') {
            return Err("it is not a path".to_owned());
        }
        let Some(rest) = text.strip_prefix('~') else {
            return Ok(self.base.join(text).components().collect());
        };
        if !rest.is_empty() && !rest.starts_with('/') {
            return Err(format!("'{}' is another user's home: write it out", shown(text)));
        }
        let home = self.home.ok_or("'~' stands for the home directory, but HOME is not set")?;
        Ok(home.join(rest.trim_start_matches('/')).components().collect())
    }
}

/// Reads a whole config.
pub(super) fn config(root: &Node<'_>, places: Places<'_>) -> Decoded<Config> {
    let modes = Backends::of_this_program().permission_modes();
    let mut decoder = Decoder { places, modes, warnings: Vec::new() };
    let mut config = Config::default();
    let key = Key::ROOT;
    for entry in mapping(root, &key, "a mapping with the keys agents, groups and settings")? {
        let key = key.at(&entry.key);
        match &*entry.key {
            "agents" => {
                config.agents = decoder.named(&entry.value, &key, "agents", Decoder::agent)?;
            }
            "groups" => {
                config.groups = decoder.named(&entry.value, &key, "groups", Decoder::group)?;
            }
            "settings" => config.settings = decoder.settings(&entry.value, &key)?,
            _ => decoder.unknown(entry, &key, ROOT_KEYS),
        }
    }
    check_caps(root, &config)?;
    decoder.check_members(root, &config);
    config.warnings = decoder.warnings;
    Ok(config)
}

struct Decoder<'a> {
    places: Places<'a>,
    /// The permission modes of all backends.
    modes: Vec<&'static str>,
    warnings: Vec<Warning>,
}

impl Decoder<'_> {
    fn warn(&mut self, at: Position, key: &Key<'_>, message: String) {
        self.warnings.push(Warning { line: at.line, key: key.to_string(), message });
    }

    fn unknown(&mut self, entry: &Entry<'_>, key: &Key<'_>, known: impl IntoIterator<Item = &'static str>) {
        // Keys for people's own use, such as anchors to refer to, begin with x- in other tools too.
        if entry.key.starts_with("x-") || entry.merged {
            return;
        }
        let meant = nearest(&entry.key, known).map(|near| format!("; did you mean {near}?"));
        self.warn(entry.at, key, format!("is not a known key{}", meant.unwrap_or_default()));
    }

    fn named<N, T>(
        &mut self,
        node: &Node<'_>,
        key: &Key<'_>,
        what: &str,
        decode: impl Fn(&mut Self, &Node<'_>, &Key<'_>) -> Decoded<T>,
    ) -> Decoded<IndexMap<N, T>>
    where
        N: FromStr<Err: fmt::Display> + Eq + std::hash::Hash,
    {
        let entries = mapping(node, key, &format!("a mapping from names to {what}"))?;
        let mut named = IndexMap::with_capacity(entries.len());
        for entry in entries {
            let key = key.at(&entry.key);
            let name = N::from_str(&entry.key).map_err(|e| key.problem_at(entry.at, e.to_string()))?;
            let value = decode(self, &entry.value, &key).map_err(|mut problem| {
                // A null has no place of its own worth pointing at.
                if problem.at == Position::default() || entry.value.is_null() {
                    problem.at = entry.at;
                }
                problem
            })?;
            named.insert(name, value);
        }
        Ok(named)
    }

    fn agent(&mut self, node: &Node<'_>, key: &Key<'_>) -> Decoded<Agent> {
        let mut agent = Agent::default();
        let (mut command, mut mode) = (None, None);
        for entry in mapping(node, key, "a mapping with at least the key directory")? {
            let (key, value) = (key.at(&entry.key), &entry.value);
            let Some(row) = self.known(AGENT_KEYS, entry, &key) else { continue };
            match row.slot {
                Slot::Path(_) => {}
                // A null is as good as no key: the Python original writes `model: null`.
                _ if value.is_null() => continue,
                Slot::Command(_) => command = Some(value.at),
                Slot::Mode(_) => mode = Some(value.at),
                Slot::Backend => {
                    agent.backend = parsed(value, &key)?;
                    continue;
                }
                _ => {}
            }
            row.slot.put(&mut agent, self.value(&row.slot, value, &key)?);
        }
        if agent.directory.as_os_str().is_empty() {
            return Err(key.problem(node, "the key directory is missing"));
        }
        check_command(&agent, key, command.unwrap_or(node.at))?;
        if let Some(at) = mode {
            let modes = agent.backend.profile().permission_modes;
            // A plain program has none, and may well start one that has.
            let known = if modes.is_empty() { self.modes.as_slice() } else { modes };
            let odd = agent.permission_mode.as_deref().and_then(|mode| unknown_mode(mode, known));
            if let Some(message) = odd {
                self.warn(at, &key.at("permission_mode"), message);
            }
        }
        Ok(agent)
    }

    fn group(&mut self, node: &Node<'_>, key: &Key<'_>) -> Decoded<Group> {
        let mut group = Group::default();
        for entry in mapping(node, key, "a mapping with the key members")? {
            let (key, value) = (key.at(&entry.key), &entry.value);
            match &*entry.key {
                "description" => group.description = or_default(value, &key, string)?,
                "shared_context" => group.shared_context = or_default(value, &key, string)?,
                "members" if value.is_null() => {}
                "members" => {
                    for (index, item) in list(value, &key)?.iter().enumerate() {
                        group.members.push(self.member(item, &key.item(index))?);
                    }
                }
                _ => self.unknown(entry, &key, GROUP_KEYS),
            }
        }
        Ok(group)
    }

    fn member(&mut self, node: &Node<'_>, key: &Key<'_>) -> Decoded<Member> {
        if let Kind::Scalar { .. } = node.kind {
            return Ok(Member { agent: parsed(node, key)?, use_for: String::new() });
        }
        let (mut agent, mut use_for) = (None, String::new());
        for entry in mapping(node, key, "the name of an agent, or a mapping with the key agent")? {
            let (key, value) = (key.at(&entry.key), &entry.value);
            match &*entry.key {
                "agent" => agent = Some(parsed::<AgentName>(value, &key)?),
                "use_for" => use_for = or_default(value, &key, string)?,
                _ => self.unknown(entry, &key, MEMBER_KEYS),
            }
        }
        let agent = agent.ok_or_else(|| key.problem(node, "the key agent is missing"))?;
        Ok(Member { agent, use_for })
    }

    fn settings(&mut self, node: &Node<'_>, key: &Key<'_>) -> Decoded<Settings> {
        let mut settings = Settings::default();
        for entry in mapping(node, key, "a mapping")? {
            let (key, value) = (key.at(&entry.key), &entry.value);
            let Some(row) = self.known(SETTINGS_KEYS, entry, &key) else { continue };
            match row.name {
                _ if value.is_null() => {}
                "cache" => settings.cache = self.cache(value, &key)?,
                "usage_log" => settings.usage_log = self.usage_log(value, &key)?,
                _ => row.slot.put(&mut settings, self.value(&row.slot, value, &key)?),
            }
            if matches!(row.slot, Slot::Mode(_))
                && let Some(mode) = &settings.default_permission_mode
                && let Some(message) = unknown_mode(mode, &self.modes)
            {
                self.warn(value.at, &key, message);
            }
        }
        Ok(settings)
    }

    fn cache(&mut self, node: &Node<'_>, key: &Key<'_>) -> Decoded<Cache> {
        let mut cache = Cache::default();
        for entry in mapping(node, key, "a mapping with the keys enabled, ttl and max_size")? {
            let (key, value) = (key.at(&entry.key), &entry.value);
            if value.is_null() && CACHE_KEYS.contains(&&*entry.key) {
                continue;
            }
            match &*entry.key {
                "enabled" => cache.enabled = boolean(value, &key)?,
                // Zero keeps nothing, which no time limit may be.
                "ttl" if text(value, &key)?.parse() == Ok(0.0) => cache.ttl = Duration::ZERO,
                "ttl" => cache.ttl = parsed::<Timeout>(value, &key)?.duration(),
                "max_size" => cache.max_size = at_least(0, value, &key)?,
                _ => self.unknown(entry, &key, CACHE_KEYS),
            }
        }
        Ok(cache)
    }

    fn usage_log(&mut self, node: &Node<'_>, key: &Key<'_>) -> Decoded<UsageLog> {
        if let Ok(on) = boolean(node, key) {
            return Ok(if on { UsageLog::On } else { UsageLog::Off });
        }
        let path = text(node, key).map_err(|_| key.expected("true, false or the path of a file", node))?;
        self.places.absolute(path).map(UsageLog::At).map_err(|message| key.problem(node, message))
    }

    /// The row of an entry's key; warns if there is none.
    fn known<T>(
        &mut self,
        table: &'static [Row<T>],
        entry: &Entry<'_>,
        key: &Key<'_>,
    ) -> Option<&'static Row<T>> {
        let row = Row::named(table, &entry.key);
        if row.is_none() {
            self.unknown(entry, key, table.iter().map(|row| row.name));
        }
        row
    }

    /// A value of the form that goes into `slot`.
    fn value<T>(&self, slot: &Slot<T>, node: &Node<'_>, key: &Key<'_>) -> Decoded<FieldValue> {
        Ok(match slot {
            Slot::Path(_) => {
                let path = self.places.absolute(text(node, key)?);
                FieldValue::Path(path.map_err(|message| key.problem(node, message))?)
            }
            Slot::Text(_) => FieldValue::Text(string(node, key)?),
            Slot::Word(_) | Slot::Mode(_) => FieldValue::Text(flag(node, key)?),
            Slot::Duration(_) => FieldValue::Duration(parsed::<Timeout>(node, key)?),
            Slot::Dollars(_) => FieldValue::Dollars(parsed::<BudgetUsd>(node, key)?),
            Slot::Tools(_) => FieldValue::Texts(tools(node, key)?),
            Slot::Texts(_) | Slot::Command(_) => FieldValue::Texts(strings(node, key)?),
            Slot::Flag(_) => FieldValue::Flag(boolean(node, key)?),
            Slot::Count(least, _) => FieldValue::Count(at_least(*least, node, key)?),
            Slot::Backend | Slot::Object(_) | Slot::Other => return Err(key.problem(node, "has no reader")),
        })
    }

    /// Warns of group members that name no agent, which needs the whole file.
    fn check_members(&mut self, root: &Node<'_>, config: &Config) {
        for (name, group) in &config.groups {
            for (index, member) in group.members.iter().enumerate() {
                if config.agents.contains_key(&member.agent) {
                    continue;
                }
                let meant = config.nearest(member.agent.as_str());
                let meant = meant.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                self.warnings.push(Warning {
                    line: member_line(root, name.as_str(), index).unwrap_or(1),
                    key: format!("groups.{name}.members[{index}]"),
                    message: format!("names '{}', which is not an agent{meant}", member.agent),
                });
            }
        }
    }
}

/// Refuses a spend cap above the ceiling, which needs the whole file.
fn check_caps(root: &Node<'_>, config: &Config) -> Decoded<()> {
    const CAP: &str = "max_budget_usd";
    const DEFAULT: &str = "default_max_budget_usd";
    let node = |way: [&str; 2], key: &str| root.get(way[0])?.get(way[1])?.get(key);
    let agents = config.agents.iter().map(|(name, agent)| {
        let name = name.as_str();
        (format!("agents.{name}.{CAP}"), agent.max_budget_usd, node(["agents", name], CAP))
    });
    let settings = root.get("settings").and_then(|settings| settings.get(DEFAULT));
    let default = (format!("settings.{DEFAULT}"), config.settings.default_max_budget_usd, settings);
    for (key, cap, node) in agents.chain([default]) {
        if let Some(error) = cap.and_then(|cap| config.settings.check_cap(cap).err()) {
            let at = node.map_or_else(Position::default, |node| node.at);
            return Err(Problem { at, key, message: error.to_string() });
        }
    }
    Ok(())
}

fn member_line(root: &Node<'_>, group: &str, index: usize) -> Option<u32> {
    let members = root.get("groups")?.get(group)?.get("members")?;
    let Kind::Sequence(items) = &members.kind else { return None };
    items.get(index).map(|item| item.at.line)
}

/// What is odd about a permission mode that is none of those known.
fn unknown_mode(mode: &str, known: &[&str]) -> Option<String> {
    if known.contains(&mode) {
        return None;
    }
    let meant = nearest(mode, known).map(|near| format!("; did you mean {near}?"));
    Some(format!("has the unknown mode '{}'{}", shown(mode), meant.unwrap_or_default()))
}

/// Refuses a command where none is used, and the lack of one where it is the program.
fn check_command(agent: &Agent, key: &Key<'_>, at: Position) -> Decoded<()> {
    let runs_program = agent.command.first().is_some_and(|program| !program.is_empty());
    let is_configured = |executable: Executable| matches!(executable, Executable::Configured);
    let message = match is_configured(agent.backend.profile().executable) {
        true if !runs_program => {
            let name = agent.backend.name();
            format!("backend '{name}' needs the program to run, such as [my-agent, --flag]")
        }
        false if !agent.command.is_empty() => {
            let profiles = Backends::of_this_program().profiles();
            let with = profiles.filter(|profile| is_configured(profile.executable));
            let with: Vec<String> = with.map(|profile| format!("'backend: {}'", profile.name)).collect();
            format!("a command is only used with {}", with.join(" or "))
        }
        _ => return Ok(()),
    };
    Err(key.at("command").problem_at(at, message))
}

#[cfg(test)]
mod tests;
