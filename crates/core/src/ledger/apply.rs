//! Applies intents: one match says which function applies which intent.

use super::event::Happened;
use super::nodes::Boot;
use super::state::Ledger;
use crate::intent::{Import, Intent, Proposal, Stamp};
use crate::model::WallTime;
use crate::refusal::Refusal;

impl Ledger {
    /// Applies a proposal with a place in the order, if it counts. Nobody is told of the results.
    pub fn follow(&mut self, proposal: Proposal, at: WallTime) {
        let mut happened = Vec::new();
        if let Ok(stamp) = self.admit(&proposal, at) {
            for intent in proposal.intents {
                self.apply(intent, stamp, &mut happened).ok(); // a refusal is for its author
                happened.clear();
            }
        }
    }

    /// Applies a proposal with a place in the order, if it counts. Returns the parts of the past that
    /// it has brought.
    pub fn follow_past(&mut self, proposal: Proposal, at: WallTime) -> Vec<Import> {
        let Ok(stamp) = self.admit(&proposal, at) else {
            return Vec::new();
        };
        let mut brought = Vec::new();
        for intent in proposal.intents {
            let part = match &intent {
                Intent::Import(import) => Some(Import::clone(import)),
                _ => None,
            };
            let applied = self.apply(intent, stamp, &mut Vec::new());
            brought.extend(part.filter(|_| applied.is_ok()));
        }
        brought
    }

    /// Applies an intent that has its place in the order. Adds the
    /// results to `happened`, even if the intent is refused.
    ///
    /// # Errors
    /// The rules do not allow it, for this reason. An intent does not count behind the end of its
    /// boot, which may be in the same proposal.
    pub fn apply(
        &mut self,
        intent: Intent,
        stamp: Stamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let Stamp { boot, at } = stamp;
        if boot > 0 && !self.nodes.is_live(boot) {
            self.seals.give_up_unused(intent.seal_key());
            return Err(Refusal::NotSent);
        }
        let first = happened.len();
        let (key, is_secret) = (intent.seal_key(), !intent.shares_key());
        let applied = self.carry_out(intent, stamp, happened);
        if let Some(key) = key {
            match is_secret && applied.is_ok() {
                true => self.seals.hold(key),
                false => self.seals.give_up_unused(Some(key)),
            }
        }
        self.end_unkept(first, at, happened);
        applied
    }

    fn carry_out(
        &mut self,
        intent: Intent,
        stamp: Stamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let Stamp { boot, at } = stamp;
        match intent {
            Intent::Say { person, room, lines } => {
                self.say_in_room(person, room, lines, at, happened)
            }
            Intent::Signal { person, room, extras } => {
                self.signal(person, room, extras, at, happened)
            }
            Intent::Come { person, name, looks, profile } => {
                self.come(person, (name, looks), profile, stamp, happened)
            }
            Intent::Enter { person, name, looks, profile, room } => {
                self.enter(person, (name, looks), profile, room, stamp, happened)
            }
            Intent::ComeBack { person, code, now, profile, room } => {
                self.come_back(person, (code, now), profile, room, stamp, happened)
            }
            Intent::MakeCode { person, code, room, seq } => {
                self.make_code(person, code, (room, seq), happened)
            }
            Intent::MoveCode { person, code, room, seq } => {
                self.move_code(person, code, (room, seq), happened)
            }
            Intent::EndCode { person, code, seq, until } => {
                self.end_code(person, code, seq, until, happened);
                Ok(())
            }
            Intent::Readings(readings) => {
                self.note_readings(readings, happened);
                Ok(())
            }
            Intent::KeepMessage { from, to, writer, spoken } => {
                self.keep_message(from, &to, writer, spoken, at, happened)
            }
            Intent::Delivered { person, last } => self.messages_delivered(person, last, happened),
            Intent::MarkRead { person, conversation, read } => {
                self.mark_read(person, conversation, read, at, happened)
            }
            Intent::ExpireCodes(time) => {
                self.expire_codes(time, happened);
                Ok(())
            }
            Intent::Join { person, room, password } => {
                self.join(person, room, password.as_ref(), at, happened)
            }
            Intent::Invite { by, to, room } => self.invite(by, &to, room),
            Intent::Leave { person, room, words } => {
                self.leave(person, room, words, at, happened);
                Ok(())
            }
            Intent::LeaveServer { person, words, removal } => {
                self.leave_server(person, (words, removal), at, happened);
                Ok(())
            }
            Intent::GiveUp { heir, room } => {
                self.give_up_absent(|who, of| who == heir && *of == room, None, happened);
                Ok(())
            }
            Intent::SpeakOnce { person, name, looks, profile, room, password, lines } => {
                let (who, room) = ((name, looks, profile), (room, password));
                self.speak_once(person, who, room, lines, at, happened)
            }
            Intent::Rename { person, name, looks } => {
                self.rename(person, name, looks, at, happened)
            }
            Intent::SetAway { person, text } => self.set_away(person, text, at, happened),
            Intent::SetRealname { person, realname } => {
                self.set_realname(person, realname, at, happened)
            }
            Intent::Oper { person, account } => self.lend(person, account, happened),
            Intent::SetModes { person, set, removed } => {
                self.set_modes(person, (set, removed), happened)
            }
            Intent::LogIn { person, account } => self.log_in(person, account, at, happened),
            Intent::SetTopic { person, room, text } => {
                self.set_topic(person, room, text, at, happened)
            }
            Intent::DeleteLines { person, since } => self.delete_lines(person, since, happened),
            Intent::Register { name, since, password, by } => {
                self.register(name, since, password, by, at, happened)
            }
            Intent::ChangePassword { name, proof, password, keeps_token, by } => {
                self.change_password((&name, proof), password, keeps_token, by, at, happened)
            }
            Intent::Rehash { name, proof, password } => {
                self.rehash(&name, proof, password, happened)
            }
            Intent::SetToken { name, proof, token } => {
                self.set_token(&name, proof, token, happened)
            }
            Intent::Release(name) => self.release(&name, at, happened),
            Intent::Act { asker, here, deed } => self.decide(asker, &here, deed, at, happened),
            Intent::Remove { people, act } => {
                self.remove(&people, &act, at, happened);
                Ok(())
            }
            Intent::EndRoom { room, last } => {
                if !self.is_stored {
                    self.rooms.end_room(&room, last);
                }
                Ok(())
            }
            Intent::Up { node, nonce, program, after } => {
                let new = Boot { node, nonce, program, last: 0, is_live: true };
                self.begin_boot(new, after, happened);
                Ok(())
            }
            Intent::UseFormat(format) => {
                self.nodes.use_format(format);
                Ok(())
            }
            Intent::Alive => Ok(()),
            Intent::KeysErased(keys) => {
                self.seals.erased(&keys);
                Ok(())
            }
            Intent::Down { boot, last } => {
                self.end_silent_boot(boot, last, happened);
                Ok(())
            }
            Intent::Leaving => {
                self.end_boot(boot, happened);
                Ok(())
            }
            Intent::Import(import) => self.import(*import),
            Intent::Return(reentry) => self.enter_again(*reentry, stamp, happened),
        }
    }
}
