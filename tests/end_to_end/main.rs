//! Tests against the real claude, which talks to an API on the loopback and to nothing else.

mod answer;
mod background;
mod budget;
mod cancel;
mod claude_code;
mod died_supervisor;
mod doctor;
mod failures;
mod instructions;
mod interrupt;
mod mcp;
mod permissions;
mod prompts;
mod readme;
mod real_claude;
mod resume;
mod scene;
mod structured;
mod timeout;
