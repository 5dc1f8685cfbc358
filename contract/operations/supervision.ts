import { z } from 'zod';
import { liveState } from './sessions.ts';
import { count, everyRole, name, nothing, type OperationShape, reason, supervisors, time, uuid } from './shape.ts';

const lock = z.strictObject({ principal: z.string(), reason: z.string(), by: z.string(), since: time });

export const supervisionOperations = {
  'session.message': {
    http: 'POST /api/sessions/{session}/message',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Shows a line to whoever is at the client end of a live session',
    input: z.strictObject({ session: uuid, text: z.string().trim().min(1).max(2000) }),
    /** Channels on which it was shown; 0 where none could show it at the moment. */
    output: z.strictObject({ shown: count }),
  },
  'session.pause': {
    http: 'POST /api/sessions/{session}/pause',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Stops a live session in both directions; nothing is lost',
    input: z.strictObject({ session: uuid, reason }),
    output: liveState,
  },
  'session.resume': {
    http: 'POST /api/sessions/{session}/resume',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Lets a paused session go on',
    input: z.strictObject({ session: uuid, reason }),
    output: liveState,
  },
  'session.step': {
    http: 'POST /api/sessions/{session}/step',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'From here on each next action of the session asks for approval; or not any more',
    input: z.strictObject({ session: uuid, on: z.boolean(), reason }),
    output: liveState,
  },
  'session.terminate': {
    http: 'POST /api/sessions/{session}/terminate',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Ends a live session. Answered when both legs are closed and the end is recorded',
    input: z.strictObject({ session: uuid, reason }),
    output: nothing,
  },
  'lock.list': {
    http: 'GET /api/locks',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Principals that are locked',
    input: nothing,
    output: z.strictObject({ locks: z.array(lock) }),
  },
  'lock.set': {
    http: 'POST /api/locks',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Locks a principal: its sessions end, and those of agents acting for it; new ones are refused',
    input: z.strictObject({ principal: name, reason }),
    output: z.strictObject({ sessions: count }),
  },
  'lock.clear': {
    http: 'POST /api/locks/clear',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Unlocks a principal',
    input: z.strictObject({ principal: name, reason }),
    output: nothing,
  },
} as const satisfies Record<string, OperationShape>;
