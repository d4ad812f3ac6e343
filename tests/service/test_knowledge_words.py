"""What a question is compared by."""

from service.knowledge_words import asked, features

KNOWN = features("物业费怎么交").__contains__


def test_words_for_the_same_thing_are_read_as_one():
    assert features("管理费咋缴") == features("物业费怎么交")


def test_courtesy_and_traditional_characters_change_nothing():
    assert features("您好，请问物業費怎麼交") == features("物业费怎么交")


def test_english_words_lose_their_endings_and_go_in_pairs():
    assert set(features("paying the fees")) == {"pay", "fee", "pay fee"}


def test_a_pair_nobody_wrote_is_heard_if_its_sound_is_known():
    """A word typed by ear."""
    assert "~wuye" in asked("吴叶", KNOWN)


def test_a_pair_somebody_wrote_is_read_and_not_heard():
    """Sounds would bring in every word that sounds alike."""
    assert not any(feature.startswith("~") for feature in asked("物业费", KNOWN))


def test_pinyin_is_heard():
    assert "~wuye" in asked("wu ye fei zen me jiao", KNOWN)


def test_english_that_could_be_pinyin_is_english():
    assert asked("can you pay", KNOWN).keys() >= {"can", "pay"}
