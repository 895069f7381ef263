//! A cursor over a header's value: it takes what the grammar asks for, or says what should have been there.

use alloc::vec::Vec;

use super::token::{is_digit, is_tchar};
use super::{Error, Header, Pair};

/// A place in a header's value.
pub(super) struct Cursor<'a> {
    header: Header,
    text: &'a str,
    at: usize,
}

/// What `read` takes from a whole value, with spaces around it.
pub(super) fn whole<'a, T>(
    header: Header,
    value: &'a [u8],
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut cursor = Cursor::new(header, value)?;
    cursor.spaces();
    let taken = read(&mut cursor)?;
    cursor.spaces();
    if cursor.peek().is_some() {
        return Err(Error::Trailing { header, offset: cursor.at });
    }
    Ok(taken)
}

impl<'a> Cursor<'a> {
    fn new(header: Header, value: &'a [u8]) -> Result<Self, Error> {
        let control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
        if let Some(offset) = value.iter().position(control) {
            return Err(Error::Character { header, offset });
        }
        let text = core::str::from_utf8(value)
            .map_err(|wrong| Error::Character { header, offset: wrong.valid_up_to() })?;
        Ok(Self { header, text, at: 0 })
    }

    /// Where it is.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes to an offset, which must be one that it was at.
    pub(super) fn back_to(&mut self, offset: usize) {
        self.at = offset;
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes a byte if it is the next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Takes a byte with spaces around it if it is the next.
    pub(super) fn separator(&mut self, byte: u8) -> bool {
        let start = self.at;
        self.spaces();
        if self.eat(byte) {
            self.spaces();
            return true;
        }
        self.at = start;
        false
    }

    /// Takes spaces and tabs.
    pub(super) fn spaces(&mut self) {
        self.run(|byte| matches!(byte, b' ' | b'\t'));
    }

    /// Takes the bytes that `allowed` allows, which must be ASCII or all of a character.
    pub(super) fn run(&mut self, allowed: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !allowed(byte)).unwrap_or(rest.len());
        let taken = rest.get(..length).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    /// Takes one or more bytes that `allowed` allows.
    pub(super) fn some(&mut self, what: &'static str, allowed: impl Fn(u8) -> bool) -> Result<&'a str, Error> {
        let offset = self.at;
        match self.run(allowed) {
            "" => Err(self.expected(what, offset)),
            taken => Ok(taken),
        }
    }

    /// Takes text in any case.
    pub(super) fn literal(&mut self, text: &'static str) -> Result<(), Error> {
        match self.rest().get(..text.len()) {
            Some(there) if there.eq_ignore_ascii_case(text) => {
                self.at += text.len();
                Ok(())
            }
            _ => Err(self.expected(text, self.at)),
        }
    }

    /// Takes a token (RFC 9110 5.6.2).
    pub(super) fn token(&mut self, what: &'static str) -> Result<&'a str, Error> {
        self.some(what, is_tchar)
    }

    /// Takes a quoted string and gives what is between its quotes, escapes and all.
    pub(super) fn quoted(&mut self, what: &'static str) -> Result<&'a str, Error> {
        let offset = self.at;
        if !self.eat(b'"') {
            return Err(self.expected(what, offset));
        }
        let start = self.at;
        loop {
            self.run(|byte| !matches!(byte, b'"' | b'\\'));
            match self.peek() {
                Some(b'"') => break,
                Some(_) => {
                    self.at += 1;
                    let escaped = self.rest().chars().next().map_or(0, char::len_utf8);
                    self.at += escaped;
                }
                None => return Err(self.expected("closing quote", self.at)),
            }
        }
        let inside = self.text.get(start..self.at).unwrap_or_default();
        self.at += 1;
        Ok(inside)
    }

    /// Takes what `read` takes, in quotes.
    pub(super) fn in_quotes<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.literal("\"")?;
        let taken = read(self)?;
        self.literal("\"")?;
        Ok(taken)
    }

    /// Takes a quoted string, or what is there up to a separator.
    pub(super) fn perhaps_quoted(&mut self, what: &'static str) -> Result<&'a str, Error> {
        if self.peek() == Some(b'"') { self.quoted(what) } else { self.value(what) }
    }

    /// Takes the value of a parameter as it is: a quoted string, something in brackets, or what is there up to a separator.
    pub(super) fn value(&mut self, what: &'static str) -> Result<&'a str, Error> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                self.quoted(what)?;
            }
            Some(b'(') => {
                self.run(|byte| byte != b')');
                if !self.eat(b')') {
                    return Err(self.expected("closing bracket", self.at));
                }
            }
            _ => {
                self.some(what, |byte| !matches!(byte, b';' | b',' | b' ' | b'\t' | b'"'))?;
            }
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    /// Takes a decimal number of at most `digits` digits and at most `most`.
    pub(super) fn number(&mut self, name: &'static str, digits: usize, most: u32) -> Result<u32, Error> {
        let offset = self.at;
        let text = self.some(name, is_digit)?;
        match text.parse() {
            Ok(number) if text.len() <= digits && number <= most => Ok(number),
            _ => Err(self.parameter(name, offset)),
        }
    }

    /// Takes a number from 0 to 100 with a percent sign.
    pub(super) fn percentage(&mut self, name: &'static str) -> Result<u8, Error> {
        let number = self.number(name, 3, 100)?;
        self.literal("%")?;
        Ok(u8::try_from(number).unwrap_or(100))
    }

    /// Takes `true` or `false`.
    pub(super) fn truth(&mut self, name: &'static str) -> Result<bool, Error> {
        let offset = self.at;
        match self.token(name)? {
            word if word.eq_ignore_ascii_case("true") => Ok(true),
            word if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(self.parameter(name, offset)),
        }
    }

    /// Takes a parameter's name and the equals sign or colon behind it.
    pub(super) fn name(&mut self) -> Result<&'a str, Error> {
        let name = self.token("name of a parameter")?;
        self.spaces();
        if !self.eat(b'=') && !self.eat(b':') {
            return Err(self.expected("=", self.at));
        }
        self.spaces();
        Ok(name)
    }

    /// Takes parameters with semicolons between them, as many as there are.
    pub(super) fn pairs(&mut self) -> Result<Vec<Pair<'a>>, Error> {
        self.list(b';', |cursor| Ok(Pair { name: cursor.name()?, value: cursor.value("value of a parameter")? }))
    }

    /// Takes one thing or more with `between` between them.
    pub(super) fn list<T>(
        &mut self,
        between: u8,
        mut read: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut taken = Vec::from([read(self)?]);
        while self.separator(between) {
            taken.push(read(self)?);
        }
        Ok(taken)
    }

    /// Puts a value into its place, which must be empty.
    pub(super) fn once<T>(
        &self,
        place: &mut Option<T>,
        value: T,
        name: &'static str,
        offset: usize,
    ) -> Result<(), Error> {
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(Error::Repeated { header: self.header, name, offset }),
        }
    }

    /// That something else should be at an offset.
    pub(super) fn expected(&self, what: &'static str, offset: usize) -> Error {
        Error::Expected { header: self.header, what, offset }
    }

    /// That a parameter's value is wrong.
    pub(super) fn parameter(&self, name: &'static str, offset: usize) -> Error {
        Error::Parameter { header: self.header, name, offset }
    }

    /// That a parameter is missing here.
    pub(super) fn missing(&self, name: &'static str) -> Error {
        Error::Missing { header: self.header, name, offset: self.at }
    }
}
