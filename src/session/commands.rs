//! Commands, and other input that is not a line: which function runs it. Knows no wording: answers
//! are values, which the dialect puts into words.

use std::slice;

use parlor_core::link::{
    Answer, Change, Command, Excerpt, Input, Mail, Query, Refusal, Request, Seat, WatchRequest,
};
use parlor_core::model::{Manner, RoomName, Spoken};

use super::ended::SessionEnd;
use super::participant::{Effect, Participant, are_notices};
use super::private::Letter;
use super::return_code::show_code;
use super::{account, history, log_in, private, recall, rooms};

/// Runs an input.
///
/// # Errors
/// The input is refused.
pub(super) async fn run(person: &mut Participant<'_>, input: Input) -> Result<Effect, Refusal> {
    let answer = match input {
        Input::Nothing | Input::Secret(_) => None,
        Input::Say(spoken) => return Ok(Effect::Post(vec![spoken])),
        Input::SayAll(lines) => return Ok(Effect::Post(lines)),
        Input::Signal(extras) => {
            let room = person.here()?.room();
            person.ask(Change::Signal { room, extras }).await
        }
        Input::In(room, input) => match rooms::turn_to(person, &room) {
            Ok(()) => return Box::pin(run(person, *input)).await,
            Err(_) if are_notices(lines_of(&input)) => None,
            Err(refusal) => return Err(rooms::absent(person, room, refusal).await),
        },
        Input::Enter { room, password, start } => {
            rooms::enter_too(person, (room, password), start).await.err()
        }
        Input::Leave(room, words) => match rooms::leave_one(person, &room, words).await {
            Ok(()) => None,
            Err(refusal) => return Err(rooms::absent(person, room, refusal).await),
        },
        Input::LeaveAll => {
            rooms::leave_all(person).await;
            None
        }
        Input::Private { to, lines, is_for_programs } => {
            let letter = Letter { to, lines, is_for_programs, may_be_own: true };
            private::write_to(person, letter).await
        }
        Input::LogIn { name, password } => log_in::log_in(person, name, password).await?,
        Input::Oper { name, password } => log_in::oper(person, &name, password).await?,
        Input::Register(password) => Some(log_in::register(person, password).await?),
        Input::ChangePassword { present, password } => {
            Some(log_in::change_password(person, present, password).await?)
        }
        Input::Read(excerpt) => return history::read_excerpt(person, excerpt).await,
        Input::Recall(wanted, count) => {
            recall::recall(person, wanted, count).await?;
            None
        }
        Input::RecallRooms(between, most) => {
            Some(Answer::LastLines(recall::recall_rooms(person, between, most).await?))
        }
        Input::ListPeople(room) => rooms::list_people(person, room).await,
        Input::ListBans(room) => rooms::list_bans(person, room).await,
        Input::FindPeople(_) => rooms::find_people(person).await,
        Input::ListRooms => rooms::list_rooms(person).await,
        Input::Ask(request) => {
            person.link.wait_for_space().await;
            person.ask(*request).await
        }
        Input::WantRoster(wants) => {
            person.link.client().want_roster(wants);
            None
        }
        Input::Begin(asked) => {
            person.begin(asked).await;
            None
        }
        Input::End => {
            person.end().await;
            None
        }
        Input::Farewell(bytes) => {
            person.link.reply(person.mark(), Mail::Raw(bytes));
            return Ok(Effect::End(SessionEnd::Foreign));
        }
        Input::Command(command) => return run_command(person, command).await,
        Input::Refused(refusal) => return Err(refusal),
        Input::Raw(bytes) => return Ok(Effect::Tell(Mail::Raw(bytes))),
    };
    Ok(answer.into())
}

/// The room of a post that names it.
pub(super) fn room_of_post(input: &Input) -> Option<&RoomName> {
    match input {
        Input::In(room, input) if !lines_of(input).is_empty() => Some(room),
        _ => None,
    }
}

/// The number of lines that a list of everything costs: its work grows with the whole server.
const LISTING_LINES: usize = 10;

/// The number of lines that an input costs: those in it, wherever they are said, or a price. What
/// concerns the whole person is work in each of these `seats`. Input that only frames a command, or
/// is an answer already, is free.
pub(super) fn price_in_lines(input: &Input, seats: usize) -> usize {
    match input {
        Input::In(_, input) => price_in_lines(input, seats),
        Input::SayAll(lines) | Input::Private { lines, .. } => lines.len().max(1),
        Input::ListRooms => LISTING_LINES,
        Input::FindPeople(masks) => LISTING_LINES * masks,
        Input::Ask(request) => price_of_request(request, seats),
        Input::Command(Command::Name(_) | Command::Away(_))
        | Input::LeaveAll
        | Input::LogIn { .. }
        | Input::Oper { .. }
        | Input::Register(_)
        | Input::Secret(_) => seats.max(1),
        Input::Nothing
        | Input::WantRoster(_)
        | Input::Begin(_)
        | Input::End
        | Input::Farewell(_)
        | Input::Refused(_)
        | Input::Raw(_) => 0,
        Input::Say(_)
        | Input::Signal(_)
        | Input::Enter { .. }
        | Input::Leave(..)
        | Input::ChangePassword { .. }
        | Input::Read(_)
        | Input::Recall(..)
        | Input::RecallRooms(..)
        | Input::ListPeople(_)
        | Input::ListBans(_)
        | Input::Command(_) => 1,
    }
}

/// The number of lines that a request costs: one for each name that it looks for, and for a change of
/// the person one for each room of that person.
fn price_of_request(request: &Request, seats: usize) -> usize {
    match request {
        Request::Change(change) if is_in_all_rooms(change) => seats.max(1),
        Request::Query(Query::Present(names)) => names.len().max(1),
        Request::Query(Query::Watch(watch)) => match watch {
            WatchRequest::Add(names) | WatchRequest::Remove(names) => names.len().max(1),
            WatchRequest::List | WatchRequest::Status => LISTING_LINES,
            WatchRequest::Clear => 1,
        },
        _ => 1,
    }
}

/// Whether it changes the person in all rooms of that person.
fn is_in_all_rooms(change: &Change) -> bool {
    matches!(
        change,
        Change::Rename(_)
            | Change::SetAway(_)
            | Change::SetRealname(_)
            | Change::LogIn(_)
            | Change::Oper(_)
            | Change::SetModes { .. }
    )
}

fn lines_of(input: &Input) -> &[Spoken] {
    match input {
        Input::Say(spoken) => slice::from_ref(spoken),
        Input::SayAll(lines) => lines,
        _ => &[],
    }
}

async fn run_command(person: &mut Participant<'_>, command: Command) -> Result<Effect, Refusal> {
    let here = person.here().map(Seat::room);
    let answer = match command {
        Command::Help(spec) => Some(Answer::Help(spec)),
        Command::Who(None) => person.ask(Query::Who(here?)).await,
        Command::Who(Some(room)) => person.ask(Query::WhoIn(room)).await,
        Command::Private { to, text } => {
            let lines = vec![Spoken::new(Manner::Plain, text)];
            let letter = Letter { to, lines, is_for_programs: false, may_be_own: false };
            private::write_to(person, letter).await
        }
        Command::Away(text) => person.ask(Change::SetAway(text)).await,
        Command::Rooms => person.ask(Query::Rooms).await,
        Command::Join { room, password } => rooms::move_to(person, (room, password)).await.err(),
        Command::Rules => {
            let room = person.here()?.room_name().clone();
            person.ask(Query::Rules(room)).await
        }
        Command::Act(deed) => person.ask(Change::Act { here: person.whereabouts(), deed }).await,
        Command::Bans => person.ask(Query::Bans { here: person.whereabouts(), skip: 0 }).await,
        Command::Keepers => person.ask(Query::Keepers { here: person.whereabouts() }).await,
        Command::Topic => {
            let room = person.here()?.room_name().clone();
            person.ask(Query::Topic(room)).await
        }
        Command::SetTopic(text) => person.ask(Change::SetTopic { room: here?, text }).await,
        Command::Last(lines) => {
            let excerpt = Excerpt::Before { seq: u64::MAX, lines };
            return history::read_excerpt(person, excerpt).await;
        }
        Command::Since(since) => return history::since(person, &since).await,
        Command::Search { words, skip, spec } => history::search(person, words, skip, spec).await?,
        Command::Forget { all, spec } => Some(account::delete_lines(person, all, spec).await?),
        Command::Register { keeps_token, spec } => {
            return account::register(person, keeps_token, spec).await;
        }
        Command::Name(typed) => return account::rename(person, &typed).await,
        Command::Code(spec) => Some(show_code(person, spec).await?),
        Command::Token { revoke, spec } => Some(account::token(person, revoke, spec).await?),
        Command::Resume(_) => return Err(Refusal::TooLateToResume),
        Command::Missed(spec) => history::missed(person, spec).await?,
        Command::Invite(to) => {
            let room = person.here()?.room_name().clone();
            person.ask(Query::Invite { to, room }).await
        }
        Command::Ignore(typed) => person.ask(Query::Ignore(typed)).await,
        Command::Unignore(typed) => Some(Answer::Unignore(typed)),
        Command::Quiet(quiet) => Some(Answer::Quiet(quiet)),
        Command::Echo(echo) => Some(Answer::Echo(echo)),
        Command::Quit(words) => return Ok(Effect::End(SessionEnd::Quit(words))),
        Command::Say(_) => None, // the decoder turns it into a line
    };
    Ok(answer.into())
}
