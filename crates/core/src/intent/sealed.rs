//! The parts of intents that can be erased from the order of several nodes: at most one in each.

use std::sync::Arc;

use super::import::{Import, ImportedLines, ImportedMessage};
use super::kinds::Intent;
use crate::model::{Erasable, Hashed, Seal, SealKey, Spoken};

/// The erasable value of an intent.
#[derive(Debug)]
pub enum ErasableOf<'a> {
    /// Lines.
    Lines(&'a mut Erasable<Vec<Spoken>>),
    /// The hash of a password.
    Password(&'a mut Erasable<Arc<str>>),
    /// The hash of a token.
    Token(&'a mut Erasable<Hashed>),
    /// A message for an absent owner.
    Message(&'a mut Erasable<Spoken>),
}

impl Intent {
    /// Its erasable value, if it has one.
    pub fn erasable(&mut self) -> Option<ErasableOf<'_>> {
        match self {
            Intent::Say { lines, .. } | Intent::SpeakOnce { lines, .. } => {
                Some(ErasableOf::Lines(lines))
            }
            Intent::Register { password, .. }
            | Intent::ChangePassword { password, .. }
            | Intent::Rehash { password, .. } => Some(ErasableOf::Password(password)),
            Intent::SetToken { token, .. } => token.as_mut().map(ErasableOf::Token),
            Intent::KeepMessage { spoken, .. } => Some(ErasableOf::Message(spoken)),
            Intent::Import(import) => match &mut **import {
                Import::Account { password, .. } => Some(ErasableOf::Password(password)),
                Import::Token { token, .. } => Some(ErasableOf::Token(token)),
                Import::Message(ImportedMessage { spoken, .. }) => {
                    Some(ErasableOf::Message(spoken))
                }
                Import::Lines(ImportedLines { lines, .. }) => Some(ErasableOf::Lines(lines)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The seal of its erasable value, if it is sealed.
    pub fn seal(&self) -> Option<&Seal> {
        match self {
            Intent::Say { lines, .. } | Intent::SpeakOnce { lines, .. } => lines.seal.as_deref(),
            Intent::Register { password, .. }
            | Intent::ChangePassword { password, .. }
            | Intent::Rehash { password, .. } => password.seal.as_deref(),
            Intent::SetToken { token, .. } => token.as_ref()?.seal.as_deref(),
            Intent::KeepMessage { spoken, .. } => spoken.seal.as_deref(),
            Intent::Import(import) => match &**import {
                Import::Account { password, .. } => password.seal.as_deref(),
                Import::Token { token, .. } => token.seal.as_deref(),
                Import::Message(ImportedMessage { spoken, .. }) => spoken.seal.as_deref(),
                Import::Lines(ImportedLines { lines, .. }) => lines.seal.as_deref(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The number of the key with which its erasable value is sealed in the order.
    pub fn seal_key(&self) -> Option<u64> {
        match self.seal()?.key {
            SealKey::Number(number) => Some(number),
            SealKey::New(_) => None,
        }
    }

    /// Whether other seals may have the same key, those of lines of the same owner.
    pub fn shares_key(&self) -> bool {
        match self {
            Intent::Say { .. } | Intent::SpeakOnce { .. } => true,
            Intent::Import(import) => matches!(**import, Import::Lines(_)),
            _ => false,
        }
    }
}
