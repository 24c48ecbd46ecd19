import type {Call, CallRecord, SentRequest} from '../../src/model/call.ts'
import type {Deaths} from '../../src/observe/telemetry/recorder/deaths.ts'
import {CallJournal} from '../../src/proxy/net/call-journal.ts'

/** A call from "shop" to "stock": GET /. */
export const aCall = (more: Partial<Call> = {}): Call => ({
  caller: 'shop',
  callee: 'stock',
  method: 'GET',
  path: '/',
  ...more
})

/** The request of a call as its caller sent it, without headers. */
export const aRequest = ({method, path}: Call = aCall(), more: Partial<SentRequest> = {}): SentRequest => ({
  protocol: 'HTTP/1.1',
  method,
  path,
  lines: '',
  ...more
})

/** The record of a call that was answered with 200 by the first attempt. */
export const aRecord = ({call = aCall(), request = aRequest(call), ...more}: Partial<CallRecord> = {}): CallRecord =>
  Object.assign(new CallJournal(call, request, undefined, undefined), {status: 200, attempts: 1, ...more})

/** An exit of "shop" with code 3, without calls inside and lines. */
export const aDeath = (more: Partial<Parameters<Deaths['add']>[0]> = {}): Parameters<Deaths['add']>[0] => ({
  app: 'shop',
  name: more.app ?? 'shop',
  exit: {kind: 'code', code: 3},
  reason: '',
  at: 0,
  version: '0.0.0',
  livedMs: 1,
  files: [],
  inside: [],
  work: [],
  lines: async () => [],
  place: async () => '',
  ...more
})
