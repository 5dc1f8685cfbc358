/**
 * A step of migrations.ts: what a table of sessions shows of each, filled with what the records of former versions say in
 * one pass over them, session by session. Released, it is never edited again.
 */
export const sessionCountsStep = `
  ALTER TABLE sessions ADD COLUMN actions INTEGER NOT NULL DEFAULT 0;    -- decided on
  ALTER TABLE sessions ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;      -- that needed somebody's consent, the connection itself among them
  ALTER TABLE sessions ADD COLUMN denied INTEGER NOT NULL DEFAULT 0;     -- by policy, by a reviewer, or because nobody answered
  ALTER TABLE sessions ADD COLUMN break_glass INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE sessions ADD COLUMN supervised INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE sessions ADD COLUMN terminated INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE sessions ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;     -- times that input was left out; records of former versions do not say
  ALTER TABLE sessions ADD COLUMN review TEXT;                           -- the newest verdict: fine, concern
  UPDATE sessions
  SET actions = c.actions, asked = c.asked, denied = c.denied, break_glass = c.break_glass, supervised = c.supervised, terminated = c.terminated
  FROM (
    SELECT session,
           sum(within AND type = 'action.decided') AS actions,
           sum(within AND type IN ('action.decided', 'session.open') AND verdict IS 'ask') AS asked,
           sum(within AND (type = 'action.decided' AND verdict IS 'deny' OR type = 'approval.expired' OR type = 'approval.decided' AND state IS 'denied')) AS denied,
           max(type = 'approval.asked' AND break_glass IS 1) AS break_glass,
           max(within AND type GLOB 'supervise.*') AS supervised,
           max(within AND type = 'supervise.terminate') AS terminated
    FROM (
      SELECT r.session, r.type, r.seq >= s.seq AS within,
             CASE WHEN r.type IN ('action.decided', 'session.open') THEN json_extract(CAST(r.bytes AS TEXT), '$.body.decision.verdict') END AS verdict,
             CASE r.type WHEN 'approval.decided' THEN json_extract(CAST(r.bytes AS TEXT), '$.body.state') END AS state,
             CASE r.type WHEN 'approval.asked' THEN json_extract(CAST(r.bytes AS TEXT), '$.body.request.breakGlass') END AS break_glass
      FROM sessions s CROSS JOIN records r INDEXED BY records_by_session ON r.session = s.id
      WHERE s.state <> 'erased' AND r.bytes IS NOT NULL
        AND (r.type IN ('action.decided', 'session.open', 'approval.asked', 'approval.decided', 'approval.expired') OR r.type GLOB 'supervise.*'))
    GROUP BY session) c
  WHERE c.session = sessions.id;
  CREATE INDEX sessions_asked ON sessions (seq) WHERE asked > 0;
  CREATE INDEX sessions_denied ON sessions (seq) WHERE denied > 0;
  CREATE INDEX sessions_break_glass ON sessions (seq) WHERE break_glass > 0;
  CREATE INDEX sessions_supervised ON sessions (seq) WHERE supervised > 0;
  CREATE INDEX sessions_terminated ON sessions (seq) WHERE terminated > 0;
  CREATE INDEX sessions_hidden ON sessions (seq) WHERE hidden > 0;
  CREATE INDEX sessions_recovered ON sessions (seq) WHERE state = 'recovered';
  CREATE INDEX sessions_reviewed ON sessions (review, seq) WHERE review IS NOT NULL;
`;
