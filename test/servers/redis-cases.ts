/** What is asked of state, pub/sub, configuration and locks on any Redis, in this order, and what is answered. */
import type {Reply} from '../rig/command.ts'

export type Step =
  | {
      readonly kind: 'call'
      readonly method: string
      readonly path: string
      readonly body: string | undefined
      readonly headers: Readonly<Record<string, string>>
      readonly expected: RegExp
    }
  | {readonly kind: 'redis'; readonly args: readonly string[]; readonly expected: RegExp}
  /** The next event, which the app answers. */
  | {readonly kind: 'event'; readonly reply: Reply; readonly expected: RegExp}
  /** Asked again and again until it is so. */
  | {readonly kind: 'until'; readonly path: string; readonly expected: RegExp}

const call = (
  method: string,
  path: string,
  body: unknown,
  expected: RegExp,
  headers: Readonly<Record<string, string>> = {}
): Step => ({
  kind: 'call',
  method,
  path: `/v1.0${path}`,
  body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  headers,
  expected
})
const get = (path: string, expected: RegExp): Step => call('GET', path, undefined, expected)
const post = (path: string, body: unknown, expected: RegExp): Step => call('POST', path, body, expected)
/** `args`: without blanks in them, or one by one. */
const redis = (args: string | readonly string[], expected: RegExp): Step => ({
  kind: 'redis',
  args: typeof args === 'string' ? args.split(' ') : args,
  expected
})
const event = (expected: RegExp, reply: Reply = {}): Step => ({kind: 'event', reply, expected})

const S = '/state/store'
const save = (items: unknown, expected: RegExp): Step => post(S, items, expected)
const one = (value: unknown, more: object, expected: RegExp): Step => save([{key: 'k', value, ...more}], expected)
const first = {options: {concurrency: 'first-write'}}
const last = {options: {concurrency: 'last-write'}}
const done = /^204$/

const STATE: readonly Step[] = [
  get(`${S}/none`, done),
  save(
    '[{"key":"pear","value":{"n": 12345678901234567890, "2":1, "1":"<&>"}},{"key":"a b","value":"ü"},{"key":"n"}]',
    done
  ),
  get(`${S}/pear`, /^200 application\/json 1 \{"n":12345678901234567890,"2":1,"1":"<&>"\}$/),
  get(`${S}/a%20b`, /^200 application\/json 1 "ü"$/),
  get(`${S}/n`, /^200 .* null$/),
  redis(['HGETALL', 'shop||a b'], /^\["data","\\"Ã¼\\"","version","1"\]$/),
  post(
    `${S}/bulk`,
    {keys: ['a b', 'none', 'n']},
    /^200 .*\[\{"key":"a b","data":"ü","etag":"1"\},\{"key":"none"\},\{"key":"n",.*"etag":"1"\}\]$/
  ),
  post(`${S}/bulk`, {}, /\[\]$/),
  // concurrency
  one(1, {}, done),
  one(2, {etag: '1'}, done),
  one(3, {etag: '1'}, /^409 .*"ERR_STATE_SAVE".*possible etag mismatch/),
  one(3, {etag: '1', ...first}, /^409 /),
  one(3, {etag: '1', ...last}, done),
  one(4, {etag: 'odd'}, /^400 .*invalid etag value/),
  one(4, first, /^500 .*failed to set key shop\|\|k/),
  one(4, {etag: ''}, done),
  save([{key: 'new', value: 1, etag: '77'}], done),
  save([{key: 'first', value: 1, ...first}], done),
  redis('HGETALL shop||first', /"first-write","0"/),
  save([{key: 'first', value: 2}], done),
  redis('HGETALL shop||first', /"data","2".*"version","2"/),
  save(
    [
      {key: 'k', value: 9, etag: '1'},
      {key: 'other', value: 7}
    ],
    /^409 /
  ),
  get(`${S}/other`, / 7$/),
  one(1, {options: {concurrency: 'never'}}, /^500 .*unrecognized concurrency model 'never'/),
  call('DELETE', `${S}/k`, undefined, /^409 .*ERR_STATE_DELETE/, {'If-Match': '1'}),
  call('DELETE', `${S}/k`, undefined, /^409 /, {'If-Match': 'odd'}),
  call('DELETE', `${S}/k`, undefined, done, {'If-Match': '4'}),
  call('DELETE', `${S}/k`, undefined, done),
  // transactions
  post(
    `${S}/transaction`,
    {
      operations: [
        {operation: 'upsert', request: {key: 't', value: {x: 1}, metadata: {ttlInSeconds: '1000'}}},
        {operation: 'delete', request: {key: 'other'}}
      ]
    },
    done
  ),
  get(`${S}/t`, /\{"x":1\}$/),
  redis('EXISTS shop||other', /^0$/),
  redis('TTL shop||t', /some/),
  post(
    `${S}/transaction`,
    {
      operations: [
        {operation: 'upsert', request: {key: 'a', value: 1}},
        {operation: 'upsert', request: {key: 't', value: 2, etag: '77'}},
        {operation: 'upsert', request: {key: 'b', value: 1}}
      ]
    },
    /^500 .*"ERR_STATE_TRANSACTION","message":"error while executing state transaction: /
  ),
  redis('EXISTS shop||a shop||b', /^2$/),
  post(`${S}/transaction`, {operations: []}, done),
  post(
    `${S}/transaction`,
    {operations: [{operation: 'move', request: {key: 'a'}}]},
    /^400 .*operation type move not supported/
  ),
  // time to live
  save([{key: 'short', value: 1, metadata: {ttlInSeconds: '1'}}], done),
  {kind: 'until', path: `/v1.0${S}/short`, expected: /^204/},
  save([{key: 'kept', value: 1, metadata: {ttlInSeconds: '1000'}}], done),
  save([{key: 'kept', value: 2}], done),
  redis('TTL shop||kept', /some/),
  save([{key: 'kept', value: 3, metadata: {ttlInSeconds: '-1'}}], done),
  redis('TTL shop||kept', /^-1$/),
  save([{key: 'kept', value: 1, metadata: {ttlInSeconds: 'x'}}], /^500 .*failed to parse ttl from metadata/),
  // what other programs have written
  redis('SET shop||text plain', /OK/),
  get(`${S}/text`, /^200 application\/json plain$/),
  redis('HSET shop||half data 1', /1/),
  get(`${S}/half`, /^500 .*required hash field 'data' or 'version' was not found/),
  redis('RPUSH shop||list a', /1/),
  get(`${S}/list`, /^500 .*ERR_STATE_GET/),
  save(
    [
      {key: 'list', value: 'mine'},
      {key: 'text', value: 'mine'}
    ],
    done
  ),
  get(`${S}/list`, /^200 application\/json 1 "mine"$/),
  redis('HSET shop||theirs data {"a":1} version 5', /2/),
  get(`${S}/theirs`, /^200 application\/json 5 \{"a":1\}$/),
  save([{key: 'theirs', value: 2, etag: '5'}], done),
  redis('HGETALL shop||theirs', /^\["data","2","version","6"\]$/),
  save([{key: 'strong', value: 1, options: {consistency: 'strong'}}], done),
  save([{key: 'a||b', value: 1}], /^400 /)
]

const setting = (path: string, expected: RegExp): Step => get(`/configuration/settings${path}`, expected)

const CONFIGURATION: readonly Step[] = [
  redis('FLUSHALL', /OK/),
  setting('', done),
  redis('MSET color blue||2||more size big none', /ERR wrong number/),
  redis(['MSET', 'color', 'blue||2||more', 'size', 'big', 'none', ''], /OK/),
  redis('RPUSH list a', /1/),
  setting('?key=color&key=none&key=absent', /\{"color":\{"value":"blue","version":"2"\}\}$/),
  setting('?key=absent', done),
  setting('?key=list', done),
  redis('DEL list', /1/),
  redis('DEL none', /1/),
  redis('DEL size', /1/),
  setting('', /\{"color":\{"value":"blue","version":"2"\}\}$/),
  setting('/subscribe?key=color', /\{"id":"<uuid>"\}$/),
  redis(['MSET', 'color', 'red||3'], /OK/),
  event(/^POST \/configuration\/settings\/color .*"items":\{"color":\{"value":"red","version":"3"\}\}\}$/),
  redis('EXPIRE color 1000', /1/),
  event(/"red"/),
  redis('DEL color', /1/),
  event(/"items":\{"color":\{\}\}\}$/),
  setting('/none/unsubscribe', /^500 .*subscription with id none does not exist/),
  get('/configuration/setting', /^400 .*ERR_CONFIGURATION_STORE_NOT_FOUND/)
]

const lock = (verb: string, body: object, expected: RegExp): Step => ({
  ...call('POST', '', body, expected),
  kind: 'call',
  path: `/v1.0-alpha1/${verb}/locks`,
  method: 'POST',
  body: JSON.stringify(body),
  headers: {}
})
const mine = {resourceId: 'r', lockOwner: 'me', expiryInSeconds: 60}

const LOCK: readonly Step[] = [
  lock('lock', mine, /^200 .*\{"success":true\}$/),
  lock('lock', mine, /^200 .*\{"success":false\}$/),
  redis('GET lock||shop||r', /me/),
  redis('TTL lock||shop||r', /some/),
  lock('unlock', {...mine, lockOwner: 'you'}, /\{"status":2\}$/),
  lock('unlock', mine, /\{"status":0\}$/),
  lock('unlock', mine, /\{"status":1\}$/),
  redis(['HSET', 'lock||shop||h', 'a', '1'], /1/),
  lock('lock', {...mine, resourceId: 'h'}, /\{"success":false\}$/),
  lock('unlock', {...mine, resourceId: 'h'}, /./),
  lock('lock', {...mine, expiryInSeconds: 0}, /^400 .*ExpiryInSeconds is not positive in lock store locks/)
]

export const BLOCK_CASES: readonly Step[] = [...STATE, ...CONFIGURATION, ...LOCK]

const publish = (topic: string, body: string, expected = done, type = 'application/json'): Step =>
  call('POST', `/publish/bus/${topic}`, body, expected, {'content-type': type})

export const PUBSUB_CASES: readonly Step[] = [
  {kind: 'until', path: '/v1.0/metadata', expected: /"topic":"bulk"/},
  publish('orders?metadata.key=7', '{"n":12345678901234567890}'),
  event(
    /^POST \/orders application\/cloudevents\+json bus 7 \{"data":\{"n":12345678901234567890\},.*"pubsubname":"bus","source":"shop"/
  ),
  redis('XRANGE orders - +', /^\[\["<entry>",\["data",".*","metadata","\{\\"key\\":\\"7\\"\}"\]\]\]$/),
  publish('orders', '"again"'),
  event(/"data":"again"/, {body: '{"status":"DROP"}'}),
  event(/^POST \/dead .*"data":"again".*"topic":"orders"/),
  publish('orders', '"failed"'),
  event(/"data":"failed"/, {status: 500}),
  event(/^POST \/dead .*"data":"failed"/),
  publish('orders', '"none"'),
  event(/"data":"none"/, {status: 404}),
  event(/^POST \/dead .*"data":"none"/),
  redis('XLEN dead', /^3$/),
  redis(['XADD', 'orders', '*', 'data', '{"id":"9","data":"theirs","specversion":"1.0"}'], /<entry>/),
  event(/^POST \/orders .*"theirs"/),
  redis(['XADD', 'orders', '*', 'data', 'no event', 'metadata', 'odd'], /<entry>/),
  redis(['XADD', 'orders', '*', 'other', 'x'], /<entry>/),
  redis(['XADD', 'orders', '*', 'metadata', '{"key":"8"}', 'data', '{"id":"10","data":"after"}'], /<entry>/),
  event(/^POST \/dead .*no event|^POST \/orders .* 8 .*"after"/),
  publish('raw?metadata.rawPayload=true', 'just bytes', done, 'text/plain'),
  event(/^POST \/raw .*"data_base64":"anVzdCBieXRlcw=="/),
  redis('XRANGE raw - +', /"data","just bytes"/),
  publish('ruled', '{"n":6}'),
  event(/^POST \/many /),
  publish('ruled', '{"n":5}'),
  event(/^POST \/few /),
  publish('ruled', '{}'),
  event(/^POST \/few /),
  publish('orders', '{"id":"11","expiration":"2020-01-01T00:00:00Z"}', done, 'application/cloudevents+json'),
  publish('orders', '"in time"'),
  event(/"in time"/),
  post(
    '/publish/bulk/bus/bulk',
    [
      {entryId: '1', event: {n: 1}, contentType: 'application/json'},
      {entryId: '2', event: 'two', contentType: 'text/plain', metadata: {key: 'own'}}
    ],
    done
  ),
  event(/^POST \/bulk application\/json .*"entries":\[.*"n":1.*"two".*"type":"com.dapr.event.sent.bulk"/),
  redis('XLEN bulk', /^2$/),
  publish('nobody', '1'),
  redis('XLEN nobody', /^1$/),
  redis('XINFO GROUPS nobody', /^\[\]$/),
  redis('SET taken text', /OK/),
  publish('taken', '1', /^500 .*ERR_PUBSUB_PUBLISH_MESSAGE.*WRONGTYPE/),
  call('POST', '/publish/none/orders', '1', /^404 .*ERR_PUBSUB_NOT_FOUND/)
]
