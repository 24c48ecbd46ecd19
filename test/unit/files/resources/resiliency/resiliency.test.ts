import t from 'tap'
import {parseResourceFile} from '../../../../../src/files/resources/resource-file.ts'
import type {ResourceSource} from '../../../../../src/files/resources/fault.ts'
import {builtInRetry, NO_RESILIENCY} from '../../../../../src/files/resources/defaults.ts'
import type {Resiliency} from '../../../../../src/files/resources/resiliency/policies.ts'
import {
  appPolicies,
  mergeResiliencies,
  readResiliency as readFrom,
  type ResiliencyResource
} from '../../../../../src/files/resources/resiliency/resiliency.ts'
import type {ResourceFault} from '../../../../../src/files/resources/fault.ts'

const readResiliency = async (
  source: ResourceSource
): Promise<{resource: ResiliencyResource | undefined; faults: readonly ResourceFault[]}> => {
  const file = parseResourceFile(source)
  return {resource: await readFrom(file), faults: file.faults}
}

const FULL = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: shop, namespace: prod}
scopes: [checkout, cart]
spec:
  policies:
    timeouts: {general: 5s, short: 300, none: 0}
    retries:
      slow: {policy: Exponential, maxInterval: 15s, maxRetries: 10, matching: {httpStatusCodes: "429,500-599", gRPCStatusCodes: 14}}
      plain: {}
    circuitBreakers:
      simple: {maxRequests: 2, interval: 8s, timeout: 45s, trip: consecutiveFailures > 8}
      plain: {}
  targets:
    apps:
      order: {timeout: general, retry: slow, circuitBreaker: simple, circuitBreakerCacheSize: 7}
      stock:
    actors:
      cartActor: {retry: plain, circuitBreaker: simple, circuitBreakerScope: both}
    components:
      store: {outbound: {retry: plain}, inbound: {timeout: short}}
`

const named = (name: string, spec: string, more = ''): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: ${name}}\n${more}spec:\n${spec}`

const load = async (text: string, file = 'r.yaml'): Promise<ResiliencyResource> => {
  const {resource, faults} = await readResiliency({file, text})
  if (resource === undefined) throw new Error(faults.map(({message}) => message).join())
  return resource
}

const brief = ({severity, place, message, expected, hint}: ResourceFault): string =>
  [`${severity} ${place.line}:${place.column}`, message, expected, hint].filter(Boolean).join(' | ')

t.test('a resource with everything', async t => {
  const {resource, faults} = await readResiliency({file: 'r.yaml', text: FULL})
  t.strictSame(faults, [])
  t.match(resource, {name: 'shop', namespace: 'prod', scopes: ['checkout', 'cart']})
  t.strictSame(
    [...(resource?.policies.timeouts ?? [])],
    [
      ['general', 5000],
      ['short', 300],
      ['none', 0]
    ]
  )
  t.strictSame(resource?.policies.retries.get('slow'), {
    name: 'slow',
    policy: 'exponential',
    durationMs: 5000,
    maxIntervalMs: 15_000,
    maxRetries: 10,
    matching: {
      http: [
        [429, 429],
        [500, 599]
      ],
      grpc: [[14, 14]]
    }
  })
  t.strictSame(
    resource?.policies.retries.get('plain'),
    {
      name: 'plain',
      policy: 'constant',
      durationMs: 5000,
      maxIntervalMs: 60_000,
      maxRetries: -1,
      matching: {http: undefined, grpc: undefined}
    },
    'the defaults'
  )
  t.match(resource?.policies.circuitBreakers.get('simple'), {maxRequests: 2, intervalMs: 8000, timeoutMs: 45_000})
  t.match(resource?.policies.circuitBreakers.get('plain'), {
    maxRequests: 1,
    intervalMs: 0,
    timeoutMs: 60_000,
    expression: ''
  })
  t.match(resource?.targets.actors.get('cartActor'), {
    retry: 'plain',
    circuitBreakerScope: 'both',
    circuitBreakerCacheSize: 5000
  })
  t.match(resource?.targets.components.get('store'), {outbound: {retry: 'plain'}, inbound: {timeout: 'short'}})
})

t.test('what is no Resiliency is left to others', async t => {
  for (const text of ['', 'kind: Component\n', 'kind: Component\nspec: {note: Resiliency}\n', '- Resiliency\n']) {
    const {resource} = await readResiliency({file: 'r.yaml', text})
    t.equal(resource, undefined)
  }
  const second = await readResiliency({file: 'r.yaml', text: `kind: Component\n---\n${FULL}`})
  t.equal(second.resource, undefined, 'Dapr reads the first document of a file alone')
  t.match(second.faults.map(brief), [/^warning 3:1 \| only the first document of a file is read/])
})

t.test('faults have their place, their words and a hint', async t => {
  const table: readonly (readonly [spec: string, ...faults: string[]])[] = [
    [
      '  policies:\n    timeouts: {a: soon}\n',
      'error 6:19 | invalid duration "soon": time: invalid duration "soon" | expected a duration such as 5s or 250ms'
    ],
    ['  policies:\n    timeouts: {a: -5s}\n', 'warning 6:19 | spec.policies.timeouts.a is negative: it counts as 0'],
    [
      '  policies:\n    retries:\n      r: {policy: linear}\n',
      'error 7:19 | unexpected back off policy type: linear | expected constant or exponential'
    ],
    [
      '  policies:\n    retries:\n      r: {maxRetries: three}\n',
      'error 7:23 | spec.policies.retries.r.maxRetries has a value of a wrong type | expected a whole number'
    ],
    [
      '  policies:\n    retries:\n      r: {matching: {httpStatusCodes: "500, 700"}}\n',
      'error 7:44 | failed to parse start code  700 from pattern  700 to int, strconv.Atoi: parsing " 700": invalid syntax | write it without blanks: 500,700'
    ],
    [
      '  policies:\n    retries:\n      r: {matching: {httpStatusCodes: 500-700}}\n',
      'error 7:39 | invalid pattern 500-700, end code 700 is not valid'
    ],
    [
      '  policies:\n    retries:\n      r: {matching: {gRPCStatusCodes: 400}}\n',
      'error 7:39 | invalid pattern 400, start code 400 is not valid'
    ],
    [
      '  policies:\n    circuitBreakers:\n      c: {trip: "requests > 3 &&"}\n',
      'error 7:33 | trip does not compile: Unexpected token: EOF | the variables are requests, totalSuccesses, totalFailures, consecutiveSuccesses, consecutiveFailures'
    ],
    [
      '  policies:\n    circuitBreakers:\n      c: {trip: totalFailure > 3}\n',
      'warning 7:17 | trip has no variable totalFailure | did you mean totalFailures?'
    ],
    [
      '  policies:\n    circuitBreakers:\n      c: {maxRequests: -1}\n',
      'error 7:24 | maxRequests is negative | expected 1 or more'
    ],
    [
      '  policies:\n    retrys: {}\n',
      'warning 6:5 | unknown key spec.policies.retrys: it has no effect | did you mean retries?'
    ],
    [
      '  targets:\n    apps:\n      a: {circuitBreakerCacheSize: -2}\n',
      'error 7:36 | circuitBreakerCacheSize: must provide a positive size'
    ],
    [
      '  targets:\n    actors:\n      a: {circuitBreaker: c}\n',
      'error 7:10 | actor circuit breakers must include scope | expected type, id or both'
    ],
    [
      '  policies:\n    retries:\n      DaprBuiltInServiceRetries: {maxRetries: 1}\n',
      'warning 7:47 | Attempted override of DaprBuiltInServiceRetries did not meet minimum retry count, resetting to 3.'
    ],
    [
      '  policies:\n    retries:\n      DaprBuiltInActorNotFoundRetries: {maxRetries: 1}\n',
      'warning 7:40 | DaprBuiltInActorNotFoundRetries cannot be overridden: this policy is ignored'
    ]
  ]
  for (const [spec, ...expected] of table) {
    const {resource, faults} = await readResiliency({file: 'r.yaml', text: named('a', spec)})
    t.strictSame(faults.map(brief), expected, spec)
    t.equal(
      resource === undefined,
      expected.some(text => text.startsWith('error')),
      'an error leaves the resource out'
    )
  }
  const broken = await readResiliency({file: 'r.yaml', text: 'kind: Resiliency\nspec: {policies: {\n'})
  t.equal(broken.resource, undefined)
  t.match(broken.faults, [{severity: 'error', message: /^not valid YAML/}])
})

const merge = async (
  texts: readonly string[],
  appId = 'checkout'
): Promise<{resiliency: Resiliency; faults: string[]}> => {
  const resources = await Promise.all(texts.map(async (text, index) => load(text, `${index}.yaml`)))
  const {resiliency, faults} = mergeResiliencies(resources, appId)
  return {resiliency, faults: faults.map(fault => `${fault.place.file} ${brief(fault)}`)}
}

t.test('resources are merged for a caller, the later wins', async t => {
  const one = named('one', '  policies: {timeouts: {a: 1s, b: 1s}}\n  targets: {apps: {x: {timeout: a}}}\n')
  const two = named('two', '  policies: {timeouts: {b: 2s}}\n  targets: {apps: {z: {timeout: b}}}\n')
  const other = named('three', '  policies: {timeouts: {b: 3s}}\n', 'scopes: [other]\n')
  const {resiliency, faults} = await merge([one, two, other])
  t.strictSame(faults, [])
  t.strictSame(resiliency.resources, [
    {name: 'one', namespace: ''},
    {name: 'two', namespace: ''}
  ])
  t.equal(appPolicies(resiliency, 'x').timeoutMs, 1000)
  t.equal(appPolicies(resiliency, 'z').timeoutMs, 2000)
  t.equal((await merge([one, other], 'other')).resiliency.policies.timeouts.get('b'), 3000)
})

t.test('what Dapr passes over in silence is told', async t => {
  const one = named(
    'a',
    '  policies: {retries: {slow: {}}}\n  targets:\n    apps:\n      x: {retry: slwo, timeout: t, circuitBreaker: "c"}\n'
  )
  t.strictSame((await merge([one])).faults, [
    '0.yaml warning 8:33 | targets.apps.x names timeout "t", which is not in policies.timeouts: it has no timeout',
    '0.yaml warning 8:18 | targets.apps.x names retry "slwo", which is not in policies.retries: it has no retry | did you mean slow?',
    '0.yaml warning 8:52 | targets.apps.x names circuitBreaker "c", which is not in policies.circuitBreakers: it has no circuitBreaker'
  ])
  const two = named('a', '  policies: {timeouts: {t: 1s}, retries: {slwo: {}}, circuitBreakers: {c: {}}}\n')
  t.strictSame((await merge([one, two])).faults, [
    '1.yaml warning 3:18 | there is a Resiliency "a" already (0.yaml:3): both hold, and where they differ this one wins | rename one of them'
  ])
})

t.test('defaults hold by their names where a target is not listed', async t => {
  const {resiliency} = await merge([
    named(
      'a',
      `  policies:
    timeouts: {DefaultTimeoutPolicy: 1s, DefaultAppTimeoutPolicy: 2s, DefaultActorTimeoutPolicy: 3s}
    retries: {DefaultRetryPolicy: {maxRetries: 1}}
    circuitBreakers: {DefaultAppCircuitBreakerPolicy: {maxRequests: 3}}
  targets: {apps: {listed: {}, partly: {retry: DefaultRetryPolicy, circuitBreakerCacheSize: 3}}}
`
    )
  ])
  t.match(appPolicies(resiliency, 'any'), {
    timeoutMs: 2000,
    retry: {maxRetries: 1},
    circuitBreaker: {maxRequests: 3},
    circuitBreakerCacheSize: 100,
    isListed: false
  })
  const none = {timeoutMs: 0, retry: undefined, circuitBreaker: undefined}
  t.strictSame(appPolicies(resiliency, 'listed'), {...none, circuitBreakerCacheSize: 100, isListed: true})
  t.match(appPolicies(resiliency, 'partly'), {
    ...none,
    retry: {maxRetries: 1},
    circuitBreakerCacheSize: 3,
    isListed: true
  })
  t.strictSame(appPolicies(NO_RESILIENCY, 'any'), {...none, circuitBreakerCacheSize: 100, isListed: false})
})

const builtIn = async (retry: string): Promise<number> => {
  const text = named('a', `  policies: {retries: {DaprBuiltInServiceRetries: ${retry}}}\n`)
  return builtInRetry((await merge([text])).resiliency).maxRetries
}

t.test('built-in retries can be changed, but not below three', async t => {
  t.match(builtInRetry(NO_RESILIENCY), {policy: 'constant', durationMs: 1000, maxRetries: 3})
  t.equal(await builtIn('{maxRetries: 7}'), 7)
  t.equal(await builtIn('{maxRetries: 1}'), 3)
})

t.test('of thousands of targets that name no policy a hundred are told, and take no time', async t => {
  const numbers = Array.from({length: 2000}, (_, number) => number)
  const targets = numbers.map(number => `      x${number}: {retry: unknown${number}}\n`).join('')
  const policies = numbers.map(number => `      known${number}: {}\n`).join('')
  const from = process.cpuUsage()
  const {faults} = await merge([named('a', `  targets:\n    apps:\n${targets}  policies:\n    retries:\n${policies}`)])
  t.equal(faults.length, 100)
  t.ok(process.cpuUsage(from).user < 5e6)
})
