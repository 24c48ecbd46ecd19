import type {ACTORS} from '../../../model/dapr/api/actors.ts'
import {
  GetActorReminderRequest,
  GetActorReminderResponse,
  ListActorRemindersRequest,
  ListActorRemindersResponse,
  RegisterActorReminderRequest,
  RegisterActorTimerRequest,
  UnregisterActorReminderRequest,
  UnregisterActorRemindersByTypeRequest,
  UnregisterActorRemindersByTypeResponse,
  UnregisterActorTimerRequest
} from '../../../model/dapr/messages/actors.generated.ts'
import {Empty} from '../../../model/dapr/messages/google.generated.ts'
import {encode, type Message} from '../../../proxy/net/grpc/message-codec.ts'
import type {FiringRequest} from '../../../work/actor/firing-spec.ts'
import type {Reminder} from '../../../work/actor/reminder-store.ts'
import type {FiringName} from '../../../work/actor/timers.ts'
import {timeAt} from '../../../work/times.ts'
import {formatGoDuration} from '../../../files/resources/go-duration.ts'
import {compactJson, memberTexts} from '../blocks/json-text.ts'
import {DONE, malformed, readJson, textIn, type BlockRequest} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'
import {inGrpc} from './actor-grpc.ts'
import {policyOf} from './failure-policy.ts'
import {bufferOf, grpc, type OperationsOf} from './operation.ts'

const nameOf = ({params: [type = '', id = '', name = '']}: BlockRequest): FiringName => ({type, id, name})

const nameIn = (message: {
  readonly actorType: string
  readonly actorId: string
  readonly name: string
}): FiringName => ({
  type: message.actorType,
  id: message.actorId,
  name: message.name
})

/** Reads a request from a body, which is JSON whatever its content type. */
function wishIn(request: BlockRequest): FiringRequest & {readonly overwrites: boolean} {
  const {text, value} = readJson(request)
  if (!isObject(value)) throw malformed('expected an object')
  const data = memberTexts(text).get('data')
  const overwrite = value['overwrite'] ?? true
  if (typeof overwrite !== 'boolean') throw malformed('"overwrite" must be true or false')
  return {
    dueTime: textIn(value, 'dueTime'),
    period: textIn(value, 'period'),
    ttl: textIn(value, 'ttl'),
    callback: textIn(value, 'callback'),
    data: data === undefined ? undefined : compactJson(data),
    overwrites: overwrite
  }
}

/** Bytes reach the app as a text of base64. */
const dataOf = (bytes: Uint8Array): string | undefined =>
  bytes.length === 0 ? undefined : JSON.stringify(bufferOf(bytes).toString('base64'))

/** The period as Dapr describes it: without repetitions. */
const periodText = ({step}: Reminder): string | undefined =>
  step === undefined ? undefined : `@every ${formatGoDuration(step)}`

/** Dapr gives back a time to live that is a time, not one that is a duration (pkg/actors/internal/scheduler). */
const timeIn = (ttl: string): string | undefined => (Number.isNaN(timeAt(ttl)) ? undefined : ttl)

function reminderJson(reminder: Reminder): string {
  const {id, type, data, dueTime, ttl} = reminder
  const members: readonly (readonly [string, string | undefined])[] = [
    ['actorID', JSON.stringify(id)],
    ['actorType', JSON.stringify(type)],
    ['data', data],
    ['dueTime', dueTime === '' ? undefined : JSON.stringify(dueTime)],
    ['period', JSON.stringify(periodText(reminder))],
    ['ttl', JSON.stringify(timeIn(ttl))]
  ]
  return `{${members.flatMap(([name, text]) => (text === undefined ? [] : `"${name}":${text}`)).join(',')}}`
}

const BYTES_VALUE = {value: [1, 'bytes']} as const

function reminderMessage(reminder: Reminder): Message<typeof GetActorReminderResponse> {
  const {type, id, dueTime, ttl, data} = reminder
  const value = data === undefined ? undefined : encode(BYTES_VALUE, {value: Buffer.from(data)})
  return {
    actorType: type,
    actorId: id,
    dueTime: dueTime === '' ? undefined : dueTime,
    period: periodText(reminder),
    data: value && {typeUrl: 'type.googleapis.com/google.protobuf.BytesValue', value},
    ttl: timeIn(ttl)
  }
}

type Firings = Pick<
  OperationsOf<typeof ACTORS>,
  | 'RegisterActorTimer'
  | 'UnregisterActorTimer'
  | 'RegisterActorReminder'
  | 'GetActorReminder'
  | 'UnregisterActorReminder'
  | 'ListActorReminders'
  | 'UnregisterActorRemindersByType'
>

/** Timers and reminders (Dapr: pkg/api/http/actors.go, pkg/api/grpc/actors.go). */
export const FIRING_OPERATIONS: Firings = {
  RegisterActorTimer: {
    http: async ({actorFirings}, request) => {
      await actorFirings.setTimer(nameOf(request), wishIn(request))
      return DONE
    },
    grpc: grpc(RegisterActorTimerRequest, Empty, async ({actorFirings}, message) => {
      const {dueTime, period, ttl, callback, data} = message
      await inGrpc(async () =>
        actorFirings.setTimer(nameIn(message), {dueTime, period, ttl, callback, data: dataOf(data)})
      )
      return undefined
    })
  },
  UnregisterActorTimer: {
    http: async ({actorFirings}, request) => {
      await actorFirings.deleteTimer(nameOf(request))
      return DONE
    },
    grpc: grpc(UnregisterActorTimerRequest, Empty, async ({actorFirings}, message) => {
      await inGrpc(async () => actorFirings.deleteTimer(nameIn(message)))
      return undefined
    })
  },
  RegisterActorReminder: {
    http: async ({actorFirings}, request) => {
      await actorFirings.setReminder(nameOf(request), wishIn(request))
      return DONE
    },
    grpc: grpc(RegisterActorReminderRequest, Empty, async ({actorFirings}, message) => {
      const {dueTime, period, ttl, data, overwrite = true, failurePolicy} = message
      const request = {dueTime, period, ttl, callback: '', data: dataOf(data)}
      const policy = policyOf(failurePolicy)
      await inGrpc(async () => actorFirings.setReminder(nameIn(message), {...request, overwrites: overwrite, policy}))
      return undefined
    })
  },
  GetActorReminder: {
    http: async ({actorFirings}, request) => {
      const reminder = await actorFirings.getReminder(nameOf(request))
      return {status: 200, type: 'application/json', body: reminderJson(reminder), lines: ''}
    },
    grpc: grpc(GetActorReminderRequest, GetActorReminderResponse, async ({actorFirings}, message) =>
      reminderMessage(await inGrpc(async () => actorFirings.getReminder(nameIn(message))))
    )
  },
  UnregisterActorReminder: {
    http: async ({actorFirings}, request) => {
      await actorFirings.deleteReminder(nameOf(request))
      return DONE
    },
    grpc: grpc(UnregisterActorReminderRequest, Empty, async ({actorFirings}, message) => {
      await inGrpc(async () => actorFirings.deleteReminder(nameIn(message)))
      return undefined
    })
  },
  ListActorReminders: {
    grpc: grpc(ListActorRemindersRequest, ListActorRemindersResponse, async ({actorFirings}, {actorType, actorId}) => ({
      reminders: (await actorFirings.listReminders(actorType, actorId)).map(each => ({
        name: each.name,
        reminder: reminderMessage(each)
      }))
    }))
  },
  UnregisterActorRemindersByType: {
    grpc: grpc(
      UnregisterActorRemindersByTypeRequest,
      UnregisterActorRemindersByTypeResponse,
      async ({actorFirings}, {actorType, actorId}) => {
        await actorFirings.deleteReminders(actorType, actorId)
        return undefined
      }
    )
  }
}
