-- What a community of 50,000 households has after two years. :community, :rows (messages), :cases, :households.
-- Statements are separated by a blank line. What is written here refers to what is there, and is counted afterwards: no
-- trigger has to see to either.

SET LOCAL session_replication_role = 'replica'

INSERT INTO staff (community_id, user_id, number, display_name, role, duty, left_at)
SELECT :community, 7000 + n, 100 + n, 'Butler ' || n, CASE WHEN n <= 3 THEN 'supervisor' ELSE 'butler' END,
       CASE WHEN n % 4 = 0 THEN 'on' END, CASE WHEN n > 60 THEN :now END
FROM generate_series(1, 80) AS n

INSERT INTO shifts (staff_id, weekday, begins, ends)
SELECT id, weekday, '08:00', '20:00' FROM staff, generate_series(1, 5) AS weekday

INSERT INTO buildings (community_id, name) SELECT :community, CAST(n AS text) FROM generate_series(1, 100) AS n

INSERT INTO households (community_id, building_id, unit, room)
SELECT :community, (SELECT min(id) FROM buildings) + n % 100, CAST(n / 100 % 4 + 1 AS text), CAST(n / 400 + 101 AS text)
FROM generate_series(0, :households - 1) AS n

INSERT INTO members (community_id, household_id, name, surname, phone, role)
SELECT community_id, id, name || id, name, '+86138' || lpad(CAST(2 * id + place AS text), 8, '0'), role
FROM households, unnest(ARRAY['Wang ', '李'], ARRAY['owner', 'family']) WITH ORDINALITY AS people (name, role, place)

INSERT INTO residents (community_id, chat_id, display_name, language, phone, place, member_id)
SELECT community_id, 1000000 + id, name, CASE WHEN id % 10 = 0 THEN 'en' ELSE 'zh' END, phone, 'R' || id, id FROM members
WHERE role = 'owner'

INSERT INTO invitations (community_id, household_id, digest, made_at, expires_at, used_at)
SELECT community_id, id, 'bench ' || id, :now - interval '90 days', :now + interval '30 days',
       CASE WHEN id % 2 = 0 THEN :now END
FROM households WHERE id % 10 = 0

INSERT INTO conversations (community_id, resident_id, owner, epoch, misunderstood, dialogue_is_old, active_at)
SELECT community_id, id, CASE WHEN id % 1000 = 0 THEN 'waiting' WHEN id % 1000 = 1 THEN 'butler' ELSE 'bot' END, 1, 0, false,
       :now - id * interval '20 minutes' FROM residents

INSERT INTO handovers (conversation_id, epoch, owner, reason, at)
SELECT id, 1, owner, 'asked', :now - id * interval '1 second' FROM conversations

INSERT INTO waits (community_id, conversation_id, reason, since)
SELECT community_id, id, 'asked', :now - id * interval '1 second' FROM conversations WHERE owner = 'waiting'

INSERT INTO wait_steps (wait_id, step, at, told) SELECT id, 'butlers', since, '[101, 102]' FROM waits

-- The newest talk is long.
INSERT INTO messages (id, conversation_id, author, kind, text, said_at, chat_id, message_id, inbox_id, outbox_id, media)
SELECT n, CASE WHEN n > :rows - :rows / 200 THEN (SELECT max(id) FROM conversations)
               ELSE (SELECT min(id) FROM conversations) + (n * CAST(7919 AS bigint)) % :households END,
       CASE WHEN n % 2 = 0 THEN 'resident' WHEN n % 5 = 0 THEN 'butler' ELSE 'bot' END,
       CASE WHEN n % 50 = 0 THEN 'photo' ELSE 'text' END,
       (ARRAY['厨房', '卫生间', '客厅', '阳台', '楼道', '电梯', '车库', '大门'])[1 + n % 8] ||
       (ARRAY['水管漏水', '灯不亮', '太吵了', '门打不开', '没有热水', '有异味', '停电了', '垃圾没人收', '暖气不热', '墙上渗水',
              '网络断了'])[1 + n % 11] ||
       (ARRAY['，麻烦来看一下', '，什么时候能修好', ' please send somebody', ' since yesterday evening', '，谢谢'])[1 + n % 5] || n,
       :now - (:rows - n) * (interval '730 days' / :rows), 1000000 + n % :households, n,
       CASE WHEN n % 2 = 0 THEN n END, CASE WHEN n % 2 = 1 THEN n END,
       CASE WHEN n % 50 = 0 THEN CAST('{"kind": "photo", "photo": {"file_id": "bench"}}' AS jsonb) END
FROM generate_series(1, :rows) AS n

INSERT INTO outbox (id, bot_id, community_id, chat_id, conversation_id, epoch, lane, kind, act, payload, priority, delivery,
                    state, message_id, created_at, settled_at)
SELECT id, 1, :community, chat_id, conversation_id, 1, 'bench', CASE WHEN id % 7 = 0 THEN 'progress' ELSE 'reply' END,
       'say', '{"text": "bench"}', 10, 'at_least_once', 'sent', id, said_at, said_at
FROM messages WHERE outbox_id IS NOT NULL OR id % 20 = 0

INSERT INTO twins (conversation_id, outbox_id, place, kind, said_chat_id, said_message_id, chat_id, message_id)
SELECT conversation_id, id, 1, 'text', chat_id, message_id, -1, id FROM messages WHERE id % 20 = 0

-- What did not get through: little that waits for a word of staff, more that was dropped by design.
INSERT INTO outbox (id, bot_id, community_id, chat_id, conversation_id, lane, kind, act, payload, priority, delivery, state,
                    reason, created_at, settled_at)
SELECT :rows + n, 1, :community, 1, (SELECT min(id) FROM conversations) + n % :households, 'bench',
       (ARRAY['progress', 'call_back', 'survey'])[1 + n % 3], 'say', '{"text": "bench"}', 30, 'at_most_once',
       CASE WHEN n <= 200 THEN 'unconfirmed' WHEN n <= 500 THEN 'dead' WHEN n <= 600 THEN 'held' ELSE 'dropped' END,
       'the epoch moved', at, at
FROM generate_series(1, 10600) AS n, LATERAL (SELECT :now - n * interval '100 minutes' AS at) AS moments

INSERT INTO inbox (bot_id, lane, joins, raw, received_at, dead_at, error)
SELECT 1, 'bench', false, convert_to('{"message": {"text": "bench"}}', 'UTF8'), :now, :now, 'KeyError'
FROM generate_series(1, 300)

INSERT INTO cases (community_id, number, conversation_id, resident_id, department_id, source, kind, category, state,
                   urgency, resolution, matter, place, opened_at)
SELECT :community, 'B' || n, c.id, c.resident_id,
       (SELECT min(id) FROM departments) + n % (SELECT count(*) FROM departments),
       'turn:' || n, CASE WHEN n % 4000 = 0 THEN 'suggestion'
                          ELSE (ARRAY['repair', 'repair', 'repair', 'complaint', 'inquiry'])[1 + n % 5] END,
       (ARRAY['water', 'electricity', 'lift', 'heating', 'noise', 'other'])[1 + n % 6],
       CASE WHEN n > :cases - :cases / 200 THEN 'open' WHEN n % 50 = 0 THEN 'withdrawn' ELSE 'closed' END, n % 20 / 19, 1,
       (ARRAY['厨房水管漏水 ', '楼道灯不亮 ', '楼上太吵 ', '大门打不开 ', '没有热水 '])[1 + n % 5] || n, 'R' || n, :now - (:cases - n) * (interval '730 days' / :cases)
FROM generate_series(1, :cases) AS n
JOIN conversations AS c ON c.id = (SELECT min(id) FROM conversations) + (n * CAST(7919 AS bigint)) % :households

INSERT INTO case_events (case_id, event, actor, at, data, key)
SELECT id, event, 'staff:101', opened_at + step * interval '1 hour', '{"resolution": 1}', event
FROM cases, unnest(ARRAY['opened', 'accepted', 'finished', 'closed']) WITH ORDINALITY AS steps (event, step)
WHERE state <> 'open' OR step < 3

INSERT INTO case_events (case_id, event, actor, at, key)
SELECT id, 'reopened', 'resident', opened_at + interval '5 hours', 'again' FROM cases WHERE id % 23 = 0

INSERT INTO case_clocks (case_id, clock, run, started_at, due_at, stopped_at, wake_at)
SELECT id, clock, 1, opened_at, opened_at + step * interval '4 hours',
       CASE WHEN state <> 'open' THEN opened_at + step * interval '2 hours' + id % 13 * interval '15 minutes' END,
       CASE WHEN state = 'open' AND id % 3 = 0 THEN :now + interval '1 hour' END
FROM cases, unnest(ARRAY['accept', 'arrive', 'finish']) WITH ORDINALITY AS clocks (clock, step)

INSERT INTO call_backs (case_id, resolution, state, tries, due_at, outcome, reason)
SELECT id, 1, CASE WHEN id % 40 = 0 THEN 'cancelled' ELSE 'answered' END, 0, opened_at + interval '1 day',
       CASE WHEN id % 40 > 0 THEN (ARRAY['held', 'held', 'held', 'not_held', NULL])[1 + id % 5] END, 'quiet'
FROM cases WHERE state = 'closed'

INSERT INTO surveys (case_id, resolution, state, asked_at, answered_at, stars, reason)
SELECT id, 1, CASE WHEN id % 40 = 0 THEN 'cancelled' ELSE 'answered' END, opened_at + interval '1 day',
       opened_at + interval '1 day', CASE WHEN id % 40 > 0 THEN CASE WHEN id % 2000 = 2 THEN 1 ELSE 2 + id % 4 END END, 'quiet'
FROM cases WHERE state = 'closed' AND id % 2 = 0

-- What is still to come, of the cases that were finished last.
INSERT INTO call_backs (case_id, resolution, state, tries, due_at)
SELECT id, 2, (ARRAY['planned', 'sent', 'phone'])[1 + id % 3], 0, :now + id % 90 * interval '1 hour'
FROM cases WHERE state = 'closed' ORDER BY id DESC LIMIT 600

INSERT INTO surveys (case_id, resolution, state, asked_at)
SELECT id, 2, 'sent', :now - id % 90 * interval '1 hour' FROM cases WHERE state = 'closed' ORDER BY id DESC LIMIT 300

INSERT INTO appointments (case_id, department_id, begins_at, ends_at, state, made_at, step, due_at)
SELECT id, department_id, at, at + interval '2 hours', CASE state WHEN 'open' THEN 'agreed' ELSE 'kept' END, opened_at,
       CASE state WHEN 'open' THEN 'evening' END, CASE state WHEN 'open' THEN :now + interval '5 hours' END
FROM cases, LATERAL (SELECT opened_at + interval '1 day' AS at) AS moments WHERE id % 4 = 0

INSERT INTO incidents (community_id, source, category, places, begins_at, expected_until, ended_at, entered_by)
SELECT :community, 'bench ' || n, 'water', '[]', :now - n * interval '7 days', :now + interval '3 hours',
       CASE WHEN n > 2 THEN :now END, 'staff:101'
FROM generate_series(1, 100) AS n

INSERT INTO incident_reports (incident_id, conversation_id, kind, matter, joined_at, due_at, told_at, reason)
SELECT incidents.id, conversations.id, 'repair', '停水', incidents.begins_at,
       CASE WHEN incidents.id % 50 = 0 THEN :now + interval '1 hour' END, CASE WHEN conversations.id % 3 > 0 THEN :now END,
       CASE WHEN conversations.id % 3 = 0 THEN 'unreachable' END
FROM incidents, conversations WHERE conversations.id % 1000 = incidents.id

INSERT INTO desk_messages (community_id, conversation_id, taken_at, opens_at, words, handed_over_at)
SELECT community_id, id, :now - interval '9 hours', :now + interval '1 hour', 'bench', CASE WHEN id % 500 > 0 THEN :now END
FROM conversations WHERE id % 10 = 0

INSERT INTO holds (community_id, of, row_id, by, why, held_at)
SELECT :community, 'call_backs', id, 'staff:101', 'bench', :now FROM call_backs WHERE state = 'planned' LIMIT 50

-- The understanding: messages as people write them, no two alike by chance; what they mean, and what others say.
INSERT INTO candidates (community_id, text, language, why, source, detail, intent, confidence, margin, model, noticed_at, state)
SELECT :community, words,
       CASE WHEN n % 4 = 0 THEN 'en' ELSE 'zh' END,
       (ARRAY['rephrase', 'low_margin', 'low_margin', 'near_miss', 'corrected'])[1 + n % 5],
       CASE WHEN n % 5 = 4 THEN 'case:' || n ELSE 'turn:' || 2 * (:rows / 2 - 10 * n) END,
       CASE WHEN n % 5 = 4 THEN 'complaint' END, (ARRAY['repair', 'inquiry', 'urge'])[1 + n % 3], 0.4, n % 97 / 400.0,
       'guanjia-1', :now - n * interval '30 minutes', CASE WHEN n <= 2500 THEN 'open' ELSE 'ignored' END
FROM generate_series(1, :rows / 30) AS n, LATERAL (
  SELECT CASE WHEN n % 4 = 0
    THEN (ARRAY['the tap', 'our lift', 'my meter', 'the gate', 'a lamp', 'the boiler', 'that wall'])[1 + n % 7] || ' ' ||
         (ARRAY['drips', 'got stuck', 'shows nonsense', 'will not open', 'flickers', 'smells', 'is wet', 'hums', 'is cold',
                'was painted', 'leaks'])[1 + n % 11] || ' ' ||
         (ARRAY['again', 'at night', 'since Monday', 'when it rains', 'near the bins', 'as I said'])[1 + n % 13 % 6]
    ELSE (ARRAY['厨房', '卫生间的', '我家客厅', '阳台上', '三楼楼道', '北门电梯', '地下车库', '东边大门', '儿童乐园'])[1 + n % 9] ||
         (ARRAY['水龙头滴水', '灯一闪一闪', '半夜太吵', '锁打不开', '热水不热', '有股怪味', '突然停电', '垃圾堆着', '暖气冰凉',
                '墙皮掉了', '信号很差', '地上很滑', '玻璃裂了'])[1 + n % 13] ||
         (ARRAY['怎么办', '有人管吗', '都三天了', '麻烦看看', '到底修不修', '急', '第二次了', '跟上次一样'])[1 + n % 17 % 8] ||
         (ARRAY['', '呀', '。', '!', '谢谢', '?'])[1 + n % 19 % 6]
  END || CASE WHEN n > 2500 THEN CAST(n AS text) ELSE '' END AS words) AS said

INSERT INTO labels (digest, text, intent, language, use, labelled_by, labelled_at)
SELECT encode(sha256(convert_to(text, 'UTF8')), 'hex'), text, min(intent), min(language),
       CASE WHEN min(id) % 3 = 0 THEN 'test' ELSE 'train' END, 'staff:' || 101 + min(id) % 5, min(noticed_at)
FROM candidates WHERE state = 'ignored' AND id % 2 = 0 GROUP BY text ORDER BY min(id) LIMIT 6000

UPDATE candidates SET state = 'labelled', label_id = labels.id FROM labels WHERE labels.text = candidates.text

INSERT INTO opinions (label_id, by, intent, was, at)
SELECT id, 'staff:120', CASE WHEN id % 10 = 0 THEN 'praise' ELSE intent END, intent, :now FROM labels WHERE id % 7 = 0

INSERT INTO unanswered_questions (community_id, conversation_id, case_id, source, text, language, asked_at, state)
SELECT :community, conversation_id, id, source,
       (ARRAY['物业费', '停车费', '装修押金', '门禁卡', '快递柜', '游泳池', '会所', '充电桩', '水表', '维修基金', '垃圾分类'])[1 + n % 11] ||
       (ARRAY['怎么交', '什么时候退', '可以代办吗', '找谁办', '要带什么', '涨价了吗', '几点开门'])[1 + n % 7] ||
       (ARRAY['', '？', '呢', '，周末行吗', '，急用'])[1 + n % 13 % 5],
       'zh', opened_at, CASE WHEN n % 3 = 0 THEN 'open' ELSE 'learnt' END
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM cases WHERE kind = 'inquiry' ORDER BY id DESC LIMIT 6000) AS asked

INSERT INTO knowledge_entries (community_id, key, content)
SELECT :community, 'own_' || n, jsonb_build_object(
         'source', jsonb_build_object('kind', 'practice'),
         'zh', jsonb_build_object('questions', jsonb_build_array('问题' || n, '怎么办' || n, '找谁' || n), 'answer', '请到前台' || n),
         'en', jsonb_build_object('questions', jsonb_build_array('question ' || n), 'answer', 'Ask the desk ' || n))
FROM generate_series(1, 300) AS n

INSERT INTO knowledge_edits (entry_id, community_id, content, by, at)
SELECT id, community_id, content, 'staff:101', :now - step * interval '10 days'
FROM knowledge_entries, generate_series(1, 5) AS step

-- Models with what they make of the exams; each has some hundred errors, half of which others have too.
INSERT INTO language_models (name, data_hash, trained_at, trained_by, scores)
SELECT 'guanjia-' || n, n, :now - (25 - n) * interval '30 days', 'bench', jsonb_build_object(
         'measured', 'bench', 'languages', jsonb_build_object('zh', measured, 'en', measured))
FROM generate_series(1, 24) AS n, LATERAL (
  SELECT jsonb_build_object('messages', 2000, 'macro_f1', 0.9 + n / 1000.0, 'accuracy', 0.9, 'calibration_error', 0.02,
           'intents', jsonb_object_agg(name, jsonb_build_object(
              'messages', 100, 'precision', 0.9, 'recall', 0.9, 'f1', 0.9 + n / 1000.0))) AS measured
  FROM unnest(ARRAY['repair', 'complaint', 'inquiry', 'urge', 'emergency', 'request_service', 'request_human', 'suggestion',
                    'praise', 'out_of_scope', 'affirm', 'deny', 'inform', 'cancel', 'correct', 'greet', 'thanks', 'goodbye',
                    'reopen']) AS intents (name)) AS figures

INSERT INTO activations (model_id, at, by) SELECT id, trained_at, 'bench' FROM language_models ORDER BY trained_at

INSERT INTO model_reports (model_id, measured, at, report)
SELECT id, 'bench', trained_at, measured || jsonb_build_object(
         'languages', jsonb_build_object('zh', measured, 'en', measured),
         'sets', jsonb_build_object('chat', measured, 'emergency', measured),
         'errors', (SELECT jsonb_agg(jsonb_build_object('set', 'chat', 'text', '厨房' || n, 'intent', 'repair',
                                                        'predicted', 'inquiry'))
                    FROM generate_series(id * 200, id * 200 + 399) AS n))
FROM language_models, LATERAL (
  SELECT scores -> 'languages' -> 'zh' || jsonb_build_object(
           'calibration', (SELECT jsonb_agg(jsonb_build_object('from', n / 10.0, 'confidence', n / 10.0, 'messages', 100,
                                                               'right', n / 10.0)) FROM generate_series(1, 10) AS n),
           'confusions', (SELECT jsonb_agg(jsonb_build_object('intent', 'repair', 'predicted', name, 'messages', 3))
                          FROM jsonb_object_keys(scores -> 'languages' -> 'zh' -> 'intents') AS names (name))) AS measured)
    AS whole

INSERT INTO shadows (model_id, begun_by, begun_at, ends_at, last_reading)
SELECT max(id) - 1, 'bench', :now - interval '1 day', :now + interval '6 days', 9223372036854775807 FROM language_models

INSERT INTO shadow_readings (shadow_id, community_id, turn_id, rows, source, begins, ends, digest, language, intent, confidence,
                             margin, model, guess, guess_confidence, heard_at)
SELECT shadows.id, :community, said.inbox_id, jsonb_build_array(said.inbox_id), 'turn:' || said.inbox_id, 0, length(said.text),
       encode(sha256(convert_to(said.text, 'UTF8')), 'hex'), 'zh', 'repair', 0.9, 0.5, 'bench',
       CASE WHEN said.id % 20 = 0 THEN 'inquiry' ELSE 'repair' END, 0.8, said.said_at
FROM shadows, (SELECT * FROM messages WHERE author = 'resident' ORDER BY id DESC LIMIT 20000) AS said

INSERT INTO fetched_files (community_id, message_id, file_id, asked_at, attempts, content, type)
SELECT :community, max(id), 'bench', :now, 1, decode(repeat('ffd8ff00', 50000), 'hex'), 'image/jpeg'
FROM messages WHERE kind = 'photo'

INSERT INTO training_runs (community_id, asked_by, asked_at, state, step, steps, doing, model_id, started_at, ended_at)
SELECT :community, 'staff:101', trained_at, 'done', 9, 9, 'evaluate', id, trained_at, trained_at FROM language_models

INSERT INTO audit_entries (community_id, at, actor, act, object, object_id)
SELECT :community, :now - (:rows / 2 - n) * (interval '730 days' / (:rows / 2)), 'staff:' || 101 + n % 40,
       CASE WHEN n % 5000 = 0 THEN 'export' WHEN n % 10 = 0 THEN 'label' ELSE 'shown' END,
       (ARRAY['counted_cases', 'charts', 'board', 'case', 'talk'])[1 + n % 5], n % 200000
FROM generate_series(1, :rows / 2) AS n
