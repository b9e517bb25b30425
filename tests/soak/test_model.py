"""What the model allows after restores, and what it does not."""
import unittest

from model import Model, Value


class Names(unittest.TestCase):
    def setUp(self):
        self.model = Model()
        self.name = self.model.names["joe", "ann"] = Value(None)

    def give(self, text, acknowledged=True):
        at = self.model.now()
        self.name.tried(at, text, acknowledged)
        return at

    def restore(self, since):
        self.model.restored("joe", since, set())

    def test_what_was_given_last_stands(self):
        self.give("one")
        self.give("two")
        self.assertEqual(self.name.may_be(), {"two"})
        self.give("three", acknowledged=False)
        self.assertEqual(self.name.may_be(), {"two", "three"})

    def test_a_restore_takes_nothing_from_before_the_backup(self):
        self.give("one")
        backup = self.model.now()
        self.give("two")
        self.restore(backup)
        self.assertEqual(self.name.may_be(), {"one", "two"})
        self.give("three")
        self.assertEqual(self.name.may_be(), {"three"})

    def test_what_a_restore_took_is_not_in_a_later_backup(self):
        self.give("one")
        first = self.model.now()
        self.give("two")
        self.restore(first)
        second = self.model.now()
        self.restore(second)
        self.assertIn("one", self.name.may_be())
        self.restore(first)
        self.assertIn("one", self.name.may_be())

    def test_a_backup_of_what_was_given_anew_has_that(self):
        self.give("one")
        first = self.model.now()
        self.give("two")
        self.restore(first)
        self.give("three")
        second = self.model.now()
        self.restore(second)
        self.assertEqual(self.name.may_be(), {"three"})


unittest.main()
