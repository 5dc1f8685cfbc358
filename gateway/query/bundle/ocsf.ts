import type { Actor, AuditRecord, RecordType } from '../../../contract/record.ts';

/**
 * Records in the words of the Open Cybersecurity Schema Framework (schema.ocsf.io, version 1.4.0), for tools that know no
 * others. Only what OCSF has a place for; the record itself stands beside it and is the evidence.
 */
const OCSF_VERSION = '1.4.0';

/** Class ids begin with the id of their category: 3 identity and access, 4 network, 6 application. */
const AUTHENTICATION = { uid: 3002, name: 'Authentication' };
const ENTITY_MANAGEMENT = { uid: 3004, name: 'Entity Management' };
const NETWORK_ACTIVITY = { uid: 4001, name: 'Network Activity' };
const SSH_ACTIVITY = { uid: 4007, name: 'SSH Activity' };
const APPLICATION_LIFECYCLE = { uid: 6002, name: 'Application Lifecycle' };
const API_ACTIVITY = { uid: 6003, name: 'API Activity' };

type EventClass = { readonly uid: number; readonly name: string };
type Activity = readonly [id: number, name: string];

const ACCOUNT_CHANGE = { uid: 3001, name: 'Account Change' };

const LOGON: Activity = [1, 'Logon'];
const LOGOFF: Activity = [2, 'Logoff'];
const ENABLE: Activity = [2, 'Enable'];
const DISABLE: Activity = [5, 'Disable'];
const REMOVE: Activity = [6, 'Delete'];
const LOCK: Activity = [9, 'Lock'];
const CREATE: Activity = [1, 'Create'];
const READ: Activity = [2, 'Read'];
const UPDATE: Activity = [3, 'Update'];
const DELETE: Activity = [4, 'Delete'];
const OPEN: Activity = [1, 'Open'];
const CLOSE: Activity = [2, 'Close'];
const RESET: Activity = [3, 'Reset'];
const REFUSE: Activity = [5, 'Refuse'];
const TRAFFIC: Activity = [6, 'Traffic'];
const START: Activity = [3, 'Start'];
const STOP: Activity = [4, 'Stop'];
const other = (name: string): Activity => [99, name];

/** `network`: the class of the protocol that the session speaks. */
const classes: { readonly [T in RecordType]: readonly [EventClass | 'network', Activity] } = {
  'gateway.start': [APPLICATION_LIFECYCLE, START],
  'gateway.stop': [APPLICATION_LIFECYCLE, STOP],
  'storage.changed': [APPLICATION_LIFECYCLE, other('Storage Changed')],
  'config.changed': [ENTITY_MANAGEMENT, UPDATE],
  'auth.refused': [AUTHENTICATION, LOGON],
  'session.refused': ['network', REFUSE],
  'session.open': ['network', OPEN],
  'session.close': ['network', CLOSE],
  'session.recovered': ['network', RESET],
  'channel.open': ['network', other('Channel Open')],
  'channel.close': ['network', TRAFFIC],
  'segment.sealed': [ENTITY_MANAGEMENT, CREATE],
  'action.decided': [API_ACTIVITY, other('Decide')],
  'action.finished': [API_ACTIVITY, other('Finish')],
  'ledger.created': [ENTITY_MANAGEMENT, CREATE],
  'key.rotated': [ENTITY_MANAGEMENT, UPDATE],
  'hold.set': [ENTITY_MANAGEMENT, CREATE],
  'hold.cleared': [ENTITY_MANAGEMENT, DELETE],
  'retention.run': [ENTITY_MANAGEMENT, DELETE],
  erased: [ENTITY_MANAGEMENT, DELETE],
  'access.audited': [API_ACTIVITY, READ],
  'access.exported': [API_ACTIVITY, READ],
  'access.viewed': [API_ACTIVITY, READ],
  'access.searched': [API_ACTIVITY, READ],
  'policy.changed': [ENTITY_MANAGEMENT, UPDATE],
  'identity.changed': [ACCOUNT_CHANGE, other('Change')],
  'approval.asked': [API_ACTIVITY, other('Ask')],
  'approval.decided': [API_ACTIVITY, other('Decide')],
  'approval.expired': [API_ACTIVITY, other('Expire')],
  'approval.withdrawn': [API_ACTIVITY, other('Withdraw')],
  'grant.used': [API_ACTIVITY, other('Use')],
  'review.signed': [API_ACTIVITY, other('Review')],
  'review.noted': [API_ACTIVITY, other('Note')],
  'session.reviewed': [API_ACTIVITY, other('Review')],
  'operator.key': [ENTITY_MANAGEMENT, CREATE],
  'operator.link': [ENTITY_MANAGEMENT, CREATE],
  'supervise.message': ['network', other('Message')],
  'supervise.pause': ['network', other('Pause')],
  'supervise.resume': ['network', other('Resume')],
  'supervise.step': ['network', other('Step')],
  'supervise.terminate': ['network', other('Terminate')],
  'principal.locked': [ACCOUNT_CHANGE, LOCK],
  'principal.unlocked': [ACCOUNT_CHANGE, other('Unlock')],
  'credential.issued': [ENTITY_MANAGEMENT, CREATE],
  'credential.revoked': [ENTITY_MANAGEMENT, DELETE],
  'operator.login': [AUTHENTICATION, LOGON],
  'operator.logout': [AUTHENTICATION, LOGOFF],
};

/** What an account is from here on. */
const identityActivities = { known: ENABLE, disabled: DISABLE, removed: REMOVE } as const;

const HUMAN = 1;
const SERVICE = 4;
const severities = { success: 1, denied: 3, failure: 3 } as const;

/** Of a record whose type this version does not know. */
export const baseEvent = { activity_id: 0, category_uid: 0, class_uid: 0, class_name: 'Base Event', type_uid: 0, severity_id: 0 };

/** The event that a record is in OCSF. */
export function ocsfEvent(record: AuditRecord, gateway: { name: string; version: string }): Record<string, unknown> {
  const [stated, usual] = classes[record.type];
  const [activityId, activityName] = record.type === 'identity.changed' ? identityActivities[record.body.state] : usual;
  const eventClass = stated === 'network' ? networkClass(record) : stated;
  const success = record.outcome === 'success';
  return {
    activity_id: activityId,
    activity_name: activityName,
    category_uid: Math.floor(eventClass.uid / 1000),
    class_uid: eventClass.uid,
    class_name: eventClass.name,
    type_uid: eventClass.uid * 100 + activityId,
    severity_id: severities[record.outcome],
    status_id: success ? 1 : 2,
    status: success ? 'Success' : 'Failure',
    ...detailOf(record),
    time: Date.parse(record.time),
    message: record.type,
    metadata: {
      version: OCSF_VERSION,
      uid: record.id,
      original_time: record.time,
      product: { name: 'Sallyport', vendor_name: 'Sallyport', version: gateway.version, uid: gateway.name },
      ...(record.session === undefined ? {} : { correlation_uid: record.session }),
    },
    actor: actorOf(record.actor),
    src_endpoint: endpoint(record.actor.source),
    ...(eventClass.uid >= 4000 && eventClass.uid < 5000 ? networkPart(record) : {}),
    ...(eventClass === AUTHENTICATION ? authenticationPart(record) : {}),
    ...(eventClass === ACCOUNT_CHANGE ? accountPart(record) : {}),
    ...(eventClass === ENTITY_MANAGEMENT ? { entity: { name: entityName(record), type: record.type } } : {}),
    ...(eventClass === APPLICATION_LIFECYCLE ? { app: { name: 'Sallyport', vendor_name: 'Sallyport', version: gateway.version } } : {}),
    ...(eventClass === API_ACTIVITY ? { api: { operation: apiOperation(record) }, dst_endpoint: targetOf(record) } : {}),
  };
}

function networkClass(record: AuditRecord): EventClass {
  const protocol = 'protocol' in record.body ? record.body.protocol : record.target.kind;
  return protocol === 'ssh' || record.target.kind === 'ssh' || record.target.kind === 'shell' ? SSH_ACTIVITY : NETWORK_ACTIVITY;
}

function actorOf(actor: Actor): object {
  return {
    user: {
      name: actor.principal,
      ...(actor.kind === 'human'
        ? { type_id: HUMAN, type: 'User' }
        : actor.kind === 'unknown'
          ? { type_id: 0, type: 'Unknown' }
          : { type_id: SERVICE, type: 'Service' }),
      ...(actor.authentication?.key === undefined ? {} : { credential_uid: actor.authentication.key }),
    },
    ...(actor.onBehalfOf === undefined ? {} : { invoked_by: actor.onBehalfOf }),
  };
}

/** The account that was changed; who changed it is the actor. */
function accountPart(record: AuditRecord): object {
  if (record.type === 'identity.changed') {
    const { principal, kind, groups } = record.body;
    const type = kind === 'human' ? { type_id: HUMAN, type: 'User' } : { type_id: SERVICE, type: 'Service' };
    return { user: { name: principal, ...type, ...(groups.length === 0 ? {} : { groups: groups.map((name) => ({ name })) }) } };
  }
  return record.type === 'principal.locked' || record.type === 'principal.unlocked' ? { user: { name: record.body.principal } } : {};
}

function authenticationPart(record: AuditRecord): object {
  if (record.type === 'operator.login' || record.type === 'operator.logout')
    return {
      user: { name: record.actor.principal },
      service: { name: 'Sallyport' },
      auth_protocol_id: 99,
      auth_protocol: 'operator token',
      is_remote: true,
    };
  if (record.type !== 'auth.refused') return {};
  return {
    user: { name: record.body.user },
    service: { name: 'Sallyport' },
    auth_protocol_id: 99,
    auth_protocol: record.body.method,
    is_remote: true,
  };
}

/** RFC 4252's methods as OCSF numbers them. */
const authTypes: Readonly<Record<string, number>> = { certificate: 1, 'keyboard-interactive': 4, password: 5, publickey: 6 };

function networkPart(record: AuditRecord): object {
  const method = record.actor.authentication?.method;
  return {
    dst_endpoint: targetOf(record),
    ...(method === undefined ? {} : { auth_type_id: authTypes[method] ?? 99, auth_type: method }),
    ...(record.type === 'session.close' || record.type === 'channel.close'
      ? { traffic: { bytes_in: record.body.bytes.i, bytes_out: record.body.bytes.o + record.body.bytes.e } }
      : {}),
    ...(record.type === 'session.close' ? { duration: record.body.duration } : {}),
  };
}

function detailOf({ type, body }: AuditRecord): object {
  if (type === 'auth.refused' || type === 'session.refused' || type === 'session.close' || type === 'gateway.stop')
    return { status_detail: body.reason };
  if (type === 'approval.decided' || type === 'review.signed' || type === 'session.reviewed')
    return { status_detail: `${body.verdict}: ${body.reason}` };
  if (type === 'approval.expired' || type === 'approval.withdrawn' || type.startsWith('supervise.') || type.startsWith('principal.'))
    return 'reason' in body ? { status_detail: body.reason } : {};
  return {};
}

function entityName(record: AuditRecord): string {
  switch (record.type) {
    case 'segment.sealed':
      return record.body.file;
    case 'config.changed':
      return `configuration ${record.body.configuration}`;
    case 'ledger.created':
    case 'key.rotated':
      return `ledger ${record.body.origin}`;
    case 'hold.set':
    case 'hold.cleared':
      return `hold ${record.body.hold}`;
    case 'policy.changed':
      return `policy ${record.body.policySet}`;
    case 'credential.issued':
    case 'credential.revoked':
      return `${record.body.credential} ${record.body.id}`;
    case 'erased':
      return record.session === undefined ? 'records without a session' : `session ${record.session}`;
    default:
      return record.target.name;
  }
}

function apiOperation(record: AuditRecord): string {
  return record.type === 'action.decided' || record.type === 'action.finished' ? record.body.action : record.type;
}

function targetOf({ target }: AuditRecord): object {
  return { name: target.name, type: target.kind, ...(target.address === undefined ? {} : endpoint(target.address)) };
}

/** `address:port`, with the address in brackets when it is IPv6; anything else is a host's name. */
function endpoint(source: string): object {
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(source);
  if (match === null) return { name: source };
  return { ip: match[1] ?? match[2], port: Number(match[3]) };
}
