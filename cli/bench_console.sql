-- What a community of 50,000 households has after two years. :community, :rows (messages), :cases, :households.
-- Statements are separated by a blank line. What is written here refers to what is there: nobody has to check it.

SET LOCAL session_replication_role = 'replica'

INSERT INTO buildings (community_id, name) SELECT :community, CAST(n AS text) FROM generate_series(1, 100) AS n

INSERT INTO households (community_id, building_id, unit, room)
SELECT :community, (SELECT min(id) FROM buildings) + n % 100, CAST(n / 100 % 4 + 1 AS text), CAST(n / 400 + 101 AS text)
FROM generate_series(0, :households - 1) AS n

INSERT INTO members (community_id, household_id, name, surname, phone, role)
SELECT community_id, id, 'Wang ' || id, 'Wang', '+86138' || lpad(CAST(id AS text), 8, '0'), 'owner' FROM households

INSERT INTO residents (community_id, chat_id, display_name, language, phone, place, member_id)
SELECT community_id, 1000000 + id, name, CASE WHEN id % 10 = 0 THEN 'en' ELSE 'zh' END, phone, 'R' || id, id FROM members

INSERT INTO conversations (community_id, resident_id, owner, epoch, misunderstood, dialogue_is_old, active_at)
SELECT community_id, id, CASE WHEN id % 1000 = 0 THEN 'waiting' ELSE 'bot' END, 1, 0, false,
       :now - id * interval '20 minutes' FROM residents

INSERT INTO handovers (conversation_id, epoch, owner, reason, at)
SELECT id, 1, owner, 'asked', :now - id * interval '1 second' FROM conversations

INSERT INTO waits (community_id, conversation_id, reason, since)
SELECT community_id, id, 'asked', :now - id * interval '1 second' FROM conversations WHERE owner = 'waiting'

INSERT INTO messages (conversation_id, author, kind, text, said_at)
SELECT (SELECT min(id) FROM conversations) + (n * CAST(7919 AS bigint)) % :households,
       CASE WHEN n % 2 = 0 THEN 'resident' WHEN n % 5 = 0 THEN 'butler' ELSE 'bot' END, 'text',
       CASE WHEN n % 2 = 0 THEN '厨房水管漏水，麻烦来看一下 ' ELSE 'The kitchen pipe leaks, somebody is on the way ' END || n,
       :now - (:rows - n) * (interval '730 days' / :rows)
FROM generate_series(1, :rows) AS n

INSERT INTO cases (community_id, number, conversation_id, resident_id, department_id, source, kind, category, state,
                   urgency, resolution, matter, place, opened_at)
SELECT :community, 'B' || n, c.id, c.resident_id,
       (SELECT min(id) FROM departments) + n % (SELECT count(*) FROM departments),
       'turn:' || n, (ARRAY['repair', 'repair', 'repair', 'complaint', 'inquiry'])[1 + n % 5],
       (ARRAY['water', 'electricity', 'lift', 'heating', 'noise', 'other'])[1 + n % 6],
       CASE WHEN n > :cases - 1000 THEN 'open' WHEN n % 50 = 0 THEN 'withdrawn' ELSE 'closed' END, n % 20 / 19, 1,
       '厨房水管漏水 ' || n, 'R' || n, :now - (:cases - n) * (interval '730 days' / :cases)
FROM generate_series(1, :cases) AS n
JOIN conversations AS c ON c.id = (SELECT min(id) FROM conversations) + (n * CAST(7919 AS bigint)) % :households

INSERT INTO case_events (case_id, event, actor, at, data, key)
SELECT id, event, 'staff:101', opened_at + step * interval '1 hour', '{"resolution": 1}', event
FROM cases, unnest(ARRAY['opened', 'accepted', 'finished', 'closed']) WITH ORDINALITY AS steps (event, step)
WHERE state <> 'open' OR step < 3

INSERT INTO case_events (case_id, event, actor, at, key)
SELECT id, 'reopened', 'resident', opened_at + interval '5 hours', 'again' FROM cases WHERE id % 23 = 0

INSERT INTO case_clocks (case_id, clock, run, started_at, due_at, stopped_at)
SELECT id, clock, 1, opened_at, opened_at + step * interval '4 hours',
       CASE WHEN state <> 'open' THEN opened_at + step * interval '2 hours' + id % 13 * interval '15 minutes' END
FROM cases, unnest(ARRAY['accept', 'arrive', 'finish']) WITH ORDINALITY AS clocks (clock, step)

INSERT INTO call_backs (case_id, resolution, state, tries, due_at, outcome)
SELECT id, 1, 'answered', 0, opened_at + interval '1 day', (ARRAY['held', 'held', 'held', 'not_held', NULL])[1 + id % 5]
FROM cases WHERE state = 'closed'

INSERT INTO surveys (case_id, resolution, state, asked_at, answered_at, stars)
SELECT id, 1, 'answered', opened_at + interval '1 day', opened_at + interval '1 day', 1 + id % 5 FROM cases
WHERE state = 'closed' AND id % 2 = 0

INSERT INTO candidates (community_id, text, language, why, source, intent, confidence, margin, model, noticed_at, state)
SELECT :community, 'the pipe ' || n, 'en', (ARRAY['rephrase', 'low_margin'])[1 + n % 2], 'turn:' || n, 'repair', 0.4, 0.1,
       'guanjia-1', :now - n * interval '30 minutes', CASE WHEN n <= 2000 THEN 'open' ELSE 'labelled' END
FROM generate_series(1, :rows / 30) AS n

INSERT INTO language_models (name, data_hash, trained_at, trained_by, scores)
SELECT 'guanjia-' || n, n, :now - n * interval '30 days', 'bench',
       '{"languages": {"zh": {"macro_f1": 0.91}, "en": {"macro_f1": 0.89}}}' FROM generate_series(1, 12) AS n

INSERT INTO activations (model_id, at, by) SELECT id, trained_at, 'bench' FROM language_models ORDER BY trained_at

INSERT INTO audit_entries (community_id, at, actor, act, object, object_id)
SELECT :community, :now - (:rows / 2 - n) * (interval '730 days' / (:rows / 2)), 'staff:' || 101 + n % 40,
       'shown', (ARRAY['counted_cases', 'charts', 'board'])[1 + n % 3], n % 200000
FROM generate_series(1, :rows / 2) AS n
