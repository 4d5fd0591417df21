//! The nodes: servers that share this ledger. Each run of a node is a boot, and people live by the
//! boot of their connection.
//!
//! Nodes of several versions share an order. So a new rule of the ledger, and a new field in its
//! digest and its snapshot, holds only while its format is in force: before that, all of them decide
//! as the older ones do.

use std::collections::BTreeMap;

use crate::model::{Format, NodeName, NodeProgram, WallTime};

/// The limit of node names. A node that is down makes space for another one.
const NODES_MAX: usize = 256;

/// Numbers of boots have 24 bits.
const BOOTS_MAX: u32 = (1 << 24) - 1;

/// The last run of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The name of the node.
    pub node: NodeName,
    /// The random number of its process, which no other process has.
    pub nonce: u64,
    /// The program that runs.
    pub program: NodeProgram,
    /// The number of its last proposal that counted.
    pub last: u64,
    /// Whether its proposals count.
    pub is_live: bool,
}

/// The last boot of each node, and the format in which all nodes write.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Nodes {
    /// The format in force. All live boots can read it.
    pub(super) format: Format,
    pub(super) boots: BTreeMap<u32, Boot>,
    /// The number of the last boot of all.
    pub(super) last_boot: u32,
    /// The time of the last proposal that counted.
    pub(super) at: WallTime,
}

/// The reason why a proposal does not count, on any node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// It came before, or was given up.
    Repeated,
    /// Its boot has ended, or never began.
    Fenced,
    /// Its format is not in force. Some nodes cannot even read it.
    NotInForce,
}

impl Nodes {
    /// The boots whose proposals count.
    pub(crate) fn live(&self) -> impl Iterator<Item = (u32, &Boot)> {
        self.boots.iter().filter(|(_, boot)| boot.is_live).map(|(&number, boot)| (number, boot))
    }

    /// The last boot of each node.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &Boot)> {
        self.boots.iter().map(|(&number, boot)| (number, boot))
    }

    /// Whether proposals of this boot count.
    pub(super) fn is_live(&self, boot: u32) -> bool {
        self.boots.get(&boot).is_some_and(|boot| boot.is_live)
    }

    /// The random number of the process of a boot.
    pub(crate) fn nonce_of(&self, boot: u32) -> Option<u64> {
        self.boots.get(&boot).map(|boot| boot.nonce)
    }

    /// The format in which all nodes write.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// The newest format that all live boots can read; none without a live boot.
    pub(crate) fn agreed(&self) -> Option<Format> {
        self.live().map(|(_, boot)| boot.program.newest).min()
    }

    /// Puts a format in force, if it is newer, and all live boots can read it.
    pub(super) fn use_format(&mut self, format: Format) {
        if self.agreed().is_some_and(|agreed| self.format < format && format <= agreed) {
            self.format = format;
        }
    }

    /// The time of the last proposal that counted.
    pub(crate) fn at(&self) -> WallTime {
        self.at
    }

    /// The last boot of a node.
    pub(crate) fn last_of(&self, node: &NodeName) -> Option<(u32, &Boot)> {
        let of_node = self.boots.iter().find(|(_, boot)| boot.node == *node);
        of_node.map(|(&number, boot)| (number, boot))
    }

    /// Notes a boot that begins, in place of the one before. Returns its number; none if there are
    /// too many nodes.
    pub(super) fn begin(&mut self, boot: Boot, before: Option<u32>) -> Option<u32> {
        if let Some(before) = before {
            self.boots.remove(&before);
        } else if self.boots.len() >= NODES_MAX {
            let (&ended, _) = self.boots.iter().find(|(_, boot)| !boot.is_live)?;
            self.boots.remove(&ended);
        }
        self.last_boot = (self.last_boot < BOOTS_MAX).then_some(self.last_boot + 1)?;
        self.boots.insert(self.last_boot, boot);
        Some(self.last_boot)
    }
}
