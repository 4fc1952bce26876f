from sync.resources import Kind
from tests.sync.projector.test_key import ANA, BIA, CAO, mailbox, people
from tests.sync.projector.worlds import remove, student, upsert


def test_a_release_frees_the_one_who_was_held_for_the_key() -> None:
    ledger = people(ANA, BIA)
    upsert(ledger, ANA, student(mailbox("bia")))

    upsert(ledger, BIA, student(mailbox("new")))
    ledger.work()

    assert [reference for reference, _, _ in ledger.sent[-2:]] == [BIA, ANA]


def test_a_freed_operation_is_caused_by_the_release_and_wants_its_own_state() -> None:
    ledger = people(ANA, BIA)
    upsert(ledger, ANA, student(mailbox("bia")))
    told = ledger.events[-1].position

    upsert(ledger, BIA, student(mailbox("new")))

    freed = ledger.only(ANA)
    assert (freed.kind, freed.payload) == (Kind.UPSERT, told)
    assert freed.cause == ledger.events[-1].position


def test_a_chain_of_mailboxes_is_freed_to_its_end_in_the_right_order() -> None:
    ledger = people(ANA, BIA, CAO)
    upsert(ledger, ANA, student(mailbox("bia")))
    upsert(ledger, BIA, student(mailbox("cao")))

    upsert(ledger, CAO, student(mailbox("new")))
    ledger.work()

    assert [reference for reference, _, _ in ledger.sent[-3:]] == [CAO, BIA, ANA]


def test_two_who_were_held_for_one_key_stay_held() -> None:
    ledger = people(ANA, BIA, CAO)
    upsert(ledger, ANA, student(mailbox("bia")))
    upsert(ledger, CAO, student(mailbox("bia")))

    upsert(ledger, BIA, student(mailbox("new")))

    assert {ledger.only(ANA).reason, ledger.only(CAO).reason} == {"key_taken"}


def test_a_release_that_is_taken_back_parks_who_waited_for_it() -> None:
    ledger = people(ANA, BIA)
    upsert(ledger, ANA, student(mailbox("new")))
    upsert(ledger, BIA, student(mailbox("ana")))

    upsert(ledger, ANA, student(mailbox("ana")))

    assert ledger.only(BIA).reason == "key_taken"


def test_a_release_that_a_removal_takes_back_parks_who_waited_for_it() -> None:
    ledger = people(ANA, BIA)
    upsert(ledger, ANA, student(mailbox("new")))
    upsert(ledger, BIA, student(mailbox("ana")))

    remove(ledger, ANA)

    assert ledger.only(BIA).reason == "key_taken"


def test_the_removal_of_one_who_was_never_made_frees_the_other() -> None:
    ledger = people()
    upsert(ledger, ANA, student(mailbox("both")))
    upsert(ledger, BIA, student(mailbox("both")))

    remove(ledger, ANA)
    ledger.work()

    assert ledger.every_open() == []
