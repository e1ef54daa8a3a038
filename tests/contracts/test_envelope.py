"""Events that are known by their place in the envelope's oneof."""

from __future__ import annotations

from eventwatch.model.contract import Location
from eventwatch.model.settings import ContractMapping
from tests.contracts.conftest import HEADER, Folder, message

OWNED = 'owner: {team: "growth"}'
ENVELOPE = """
message Envelope {
  string event_id = 1;
  optional string note = 2;
  oneof payload {
    UserDidIt did_it = 10;
    Other other_thing = 11;
  }
}
"""


def test_the_field_in_the_oneof_names_the_event(folder: Folder) -> None:
    text = HEADER + ENVELOPE + message(OWNED) + message(OWNED, name="Other")
    assert list(folder.write({"a.proto": text}).load().contracts) == ["did_it", "other_thing"]


def test_the_contracts_own_name_wins_over_the_field(folder: Folder) -> None:
    text = HEADER + ENVELOPE + message(OWNED + ' event_type: "it"') + message(OWNED, name="Other")
    assert list(folder.write({"a.proto": text}).load().contracts) == ["it", "other_thing"]


def test_a_member_of_the_oneof_is_an_event_even_without_a_contract(folder: Folder) -> None:
    text = HEADER + ENVELOPE + message(OWNED) + "\nmessage Other {}\n"
    (fault,) = folder.write({"a.proto": text}).faults()
    assert fault.key == "owner.team"
    assert "Other" in fault.message


def test_a_member_may_live_on_the_defaults_of_its_file(folder: Folder) -> None:
    defaults = 'option (eventwatch.contract.v1.event_defaults) = {owner: {team: "growth"}};\n'
    text = HEADER + defaults + ENVELOPE + message("") + "\nmessage Other {}\n"
    assert list(folder.write({"a.proto": text}).load().contracts) == ["did_it", "other_thing"]


def test_a_contract_outside_the_envelope_is_called_after_its_message(folder: Folder) -> None:
    events = message(OWNED) + message(OWNED, name="Other") + message(OWNED, name="OutsideIt")
    contracts = folder.write({"a.proto": HEADER + ENVELOPE + events}).load().contracts
    assert "outside_it" in contracts


def test_the_envelope_may_stand_in_another_file(folder: Folder) -> None:
    folder.write(
        {
            "events.proto": HEADER + message(OWNED) + message(OWNED, name="Other"),
            "z/envelope.proto": 'syntax = "proto3"; package acme; import "events.proto";'
            + ENVELOPE,
        }
    )
    contract = folder.load().contracts["did_it"]
    assert contract.location == Location("events.proto", 4)


def test_a_message_under_two_names_is_two_events(folder: Folder) -> None:
    envelope = "message Env { oneof e { UserDidIt first = 1; UserDidIt second = 2; } }\n"
    contracts = folder.write({"a.proto": HEADER + envelope + message(OWNED)}).load().contracts
    assert list(contracts) == ["first", "second"]


def test_two_envelopes_must_be_chosen_from(folder: Folder) -> None:
    second = ENVELOPE.replace("message Envelope", "message EnvelopeV2").replace("did_it", "did_it2")
    text = HEADER + ENVELOPE + second + message(OWNED) + message(OWNED, name="Other")
    (fault,) = folder.write({"a.proto": text}).faults()
    assert fault.key == "contracts.envelope"
    assert "acme.Envelope, acme.EnvelopeV2" in fault.message
    assert list(folder.load(envelope="acme.EnvelopeV2").contracts) == ["did_it2", "other_thing"]


def test_an_envelope_that_does_not_exist_is_told_the_nearest(folder: Folder) -> None:
    folder.write({"a.proto": HEADER + ENVELOPE + message(OWNED) + message(OWNED, name="Other")})
    (fault,) = folder.faults(folder.settings(envelope="acme.Envelop"))
    assert "Did you mean acme.Envelope?" in fault.message


def test_an_event_without_payload_stands_at_its_line_in_the_envelope(folder: Folder) -> None:
    text = """syntax = "proto3";
    import "google/protobuf/empty.proto";
    import "google/protobuf/descriptor.proto";
    extend google.protobuf.FieldOptions { string squad = 50000; }
    message Env {
      oneof e {
        // Somebody left.
        google.protobuf.Empty user_left = 1 [(squad) = "growth"];
        google.protobuf.Empty user_came = 2 [(squad) = "core"];
      }
    }
    """
    folder.write({"a.proto": text})
    catalog = folder.load(mapping=ContractMapping(envelope_field={"squad": "owner.team"}))
    left = catalog.contracts["user_left"]
    assert left.location == Location("a.proto", 8)
    assert left.owner.team == "growth"
    assert left.description == "Somebody left."
    assert catalog.contracts["user_came"].owner.team == "core"


def test_what_is_optional_in_proto3_is_no_envelope(folder: Folder) -> None:
    text = HEADER + message(OWNED) + "message Wrapper { optional UserDidIt maybe = 1; }"
    assert list(folder.write({"a.proto": text}).load().contracts) == ["user_did_it"]
