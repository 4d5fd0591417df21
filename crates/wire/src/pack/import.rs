//! The past of a house as bytes. Its rows have the order of the fields and the numbers of the
//! variants. A number never gets another meaning.

use parlor_core::intent::{Import, ImportedLines, ImportedMessage, PastAct, PastLog};

use super::bytes::{Packed, Packer, UnpackError, Unpacker, choice, record};

choice!(Import, "a part of the past", {
    1 => Account { name, since, password },
    2 => Token { name, token },
    3 => Keeper { reach, name },
    4 => Maker { room, name },
    5 => Ban(act),
    6 => Mute(act),
    7 => Topic { room, topic },
    8 => Rules { room, rules },
    9 => Code { code, claim, looks, room, seq, until },
    10 => Marker { owner, key, at },
    11 => Message(message),
    12 => LastMessage(number),
    13 => Act(act),
    14 => Log(log),
    15 => Lines(lines),
    16 => Complete,
});

record!(ImportedMessage { number, at, owner, from, writer, rank, spoken });

record!(PastAct { number, at, by, account, room, deed, whom, reason });

record!(PastLog { number, name, ends });

record!(ImportedLines { room, first, name, owner, times, lines });
