/** What OpenAPI says of the routes that are no operations: they answer parts of recordings as they are. */

type Json = { [member: string]: unknown };

export interface RouteTexts {
  readonly problems: (...statuses: readonly number[]) => Json;
  readonly security: readonly Json[];
}

const BASE = '/api/sessions/{session}/channels/{channel}/segments/{segment}';

export function recordingPaths({ problems, security }: RouteTexts): Record<string, Json> {
  const parameter = (name: string): Json => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'session' ? { type: 'string' } : { type: 'integer', minimum: 0 },
  });
  const path = (id: string, summary: string, names: readonly string[], type: string, more: Json = {}): Json => ({
    get: {
      operationId: id,
      summary,
      tags: ['recording'],
      'x-roles': 'operator',
      'x-effect': 'read',
      security,
      parameters: names.map(parameter),
      responses: {
        '200': { description: 'As it is.', content: { [type]: { schema: { type: 'string' } } } },
        ...more,
        '304': { description: 'The client has it already.' },
        ...problems(400, 401, 403, 404, 409, 410, 412, 416, 429, 500, 503),
      },
    },
  });
  const names = ['session', 'channel', 'segment'];
  const type = 'application/x-asciicast';
  return {
    [`${BASE}/cast`]: path(
      'recording.cast',
      'The text of a segment of a recording that was opened, or a range of its bytes; of one that is not sealed, what there is so far, and in Sallyport-Position where the live WebSocket continues it',
      names,
      type,
      { '206': { description: 'The bytes that were asked for.', content: { [type]: { schema: { type: 'string' } } } } },
    ),
    [`${BASE}/keyframes/{n}`]: path(
      'recording.keyframe',
      'The screen before piece n of a segment: what makes a terminal of Sallyport-Cols and Sallyport-Rows the same',
      [...names, 'n'],
      'text/plain',
    ),
    [`${BASE}/thumbnails/{n}`]: path('recording.thumbnail', 'A small picture of the screen', [...names, 'n'], 'image/png'),
  };
}
