/** What a gateway answered instead of what it was asked for (RFC 9457), or that nobody answered. */
export class Problem extends Error {
  /** HTTP status; 0 when no gateway answered. */
  readonly status: number;
  readonly code: string;
  readonly remedy: string | undefined;

  constructor(status: number, code: string, message: string, remedy?: string) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }

  get isUnreachable(): boolean {
    return this.status === 0;
  }

  get isLoggedOut(): boolean {
    return this.code === 'LOGIN_REQUIRED';
  }
}

export function problemOf(status: number, text: string): Problem {
  const { code = 'INTERNAL', detail = `The gateway answered with status ${status}.`, remedy } = membersOf(text);
  return new Problem(status, code, detail, remedy);
}

/** Whatever was thrown, as something to show. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  return new Problem(-1, 'INTERNAL', thrown instanceof Error ? thrown.message : String(thrown));
}

export function unreachable(): Problem {
  return new Problem(0, 'GATEWAY_UNREACHABLE', 'The gateway does not answer.', 'It is asked again by itself.');
}

function membersOf(text: string): { code?: string; detail?: string; remedy?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    const members = value as Record<string, unknown>;
    const told = (name: string) => (typeof members[name] === 'string' ? { [name]: members[name] } : {});
    return { ...told('code'), ...told('detail'), ...told('remedy') };
  } catch {
    return {}; // Not from a gateway: the status is all there is to tell.
  }
}
