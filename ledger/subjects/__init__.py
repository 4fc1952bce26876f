"""Persons as subjects of the law: held, being erased, erased, let in again.

A person is known by a lasting pseudonym, such as `student:S-1001`, under whose key everything
personal is sealed. An erased name is never used again: who is let in again goes by the next one.
Nothing here knows who these persons are, and nothing here holds a key.

```
 like anybody ◄────────────► held          subject.held, subject.hold_released
      │
      ▼ subject.erasing                    refused while held; from now on nothing is taken
   erasing    what may have been sent is found out first
      │
      ▼ subject.erased                     then the key goes, and what was derived from the data
   erased ────────► the next name          subject.readmitted: by a person, deliberately
```
"""
