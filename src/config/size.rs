//! Amounts of memory, as people write them.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::units::{Refused, whole};

/// An amount of memory, written `4MiB`, `512KiB`, `1GiB` or as a number of bytes. Never nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(usize);

impl ByteSize {
    /// The units by their shift, largest first, so that printing finds the shortest form.
    const UNITS: [(&'static str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];

    /// `count` mebibytes.
    pub const fn mebibytes(count: usize) -> Self {
        Self(count << 20)
    }

    /// The amount in bytes.
    pub const fn bytes(self) -> usize {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, shift) = Self::UNITS
            .iter()
            .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
            .unwrap_or((text, 0));
        let bytes = whole(number.trim_end())?.checked_mul(1 << shift)?;
        // A size near the end of the address space is a slip, and later sums must not overflow.
        let bytes = usize::try_from(bytes).ok()?;
        (1..=usize::MAX / 2).contains(&bytes).then_some(Self(bytes))
    }
}

impl FromStr for ByteSize {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        Self::parse(text).ok_or_else(|| {
            Refused::new("write a size like 512KiB, 4MiB or 1GiB, or a number of bytes from 1")
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, shift) in Self::UNITS {
            if self.0.trailing_zeros() >= shift {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ByteSize;

    #[test]
    fn sizes_have_binary_units() {
        for (text, printed) in [
            ("4194304", "4MiB"),
            ("4 MiB", "4MiB"),
            ("1GiB", "1GiB"),
            ("1023", "1023"),
        ] {
            assert_eq!(
                text.parse::<ByteSize>().map(|size| size.to_string()),
                Ok(printed.to_owned())
            );
        }
        for wrong in ["", "0", "MiB", "4MB", "-4MiB", "4.5MiB", "99999999999GiB"] {
            assert!(wrong.parse::<ByteSize>().is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn sizes_read_back_as_printed(bytes in 1..=usize::MAX / 2) {
            let size = ByteSize(bytes);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }

        #[test]
        fn anything_may_be_typed(text in ".*") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
