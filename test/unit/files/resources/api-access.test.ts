import t from 'tap'
import {readConfiguration} from '../../../../src/files/resources/read-configuration.ts'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {INVOKE_ROUTE} from '../../../../src/model/dapr/api/routes.ts'
import {isRouteServed} from '../../../../src/dapr/sidecar/http/routes.ts'
import {isMethodServed as isGrpcServed} from '../../../../src/dapr/sidecar/grpc/own-methods.ts'

const read = async (api: string) => {
  const parsed = parseResourceFile({file: 'config.yaml', text: `spec:\n  api: ${api}\n`})
  return {configuration: await readConfiguration(parsed), faults: parsed.faults}
}

const OF_GROUPS = `{allowed: [{name: state, version: v1, protocol: http}, {name: workflows, version: v1beta1, protocol: http}]}`
const DENIED_GROUPS = `{denied: [{name: actors, version: v1, protocol: http}, {name: invoke, version: v1, protocol: http}]}`
const STATE = '{name: state, version: v1.0, protocol: http}'
const INVOKE = '{name: invoke, version: v1.0, protocol: HTTP}'

const CASES: readonly {readonly api: string; readonly served: readonly string[]; readonly not: readonly string[]}[] = [
  {
    api: `{allowed: [${STATE}, ${INVOKE}]}`,
    served: ['v1.0/state/*/*', INVOKE_ROUTE, 'v1.0/healthz', 'v1.0/healthz/outbound'],
    not: ['v1.0/metadata', 'v1.0-alpha1/state/*/query']
  },
  {
    api: OF_GROUPS,
    served: ['v1.0/state/*/*', 'v1.0-beta1/workflows/*/*', 'v1.0/healthz'],
    not: ['v1.0-alpha1/state/*/query', 'v1.0/workflows/*/*', INVOKE_ROUTE, 'v1.0/metadata']
  },
  {
    api: DENIED_GROUPS,
    served: ['v1.0/state/*/*', 'v1.0/metadata'],
    not: ['v1.0/actors/*/*/state', 'v1.0/actors/*/*/method/*', INVOKE_ROUTE]
  },
  {
    api: `{denied: [${INVOKE}, {name: shutdown, version: v1.0, protocol: http}]}`,
    served: ['v1.0/state/*', 'v1.0/metadata'],
    not: [INVOKE_ROUTE, 'v1.0/shutdown']
  },
  {api: `{allowed: [${STATE}], denied: [${STATE}]}`, served: ['v1.0/healthz'], not: ['v1.0/state/*', INVOKE_ROUTE]},
  {api: '{denied: [{name: state, version: v1, protocol: grpc}]}', served: ['v1.0/state/*', INVOKE_ROUTE], not: []},
  {api: '{allowed: []}', served: ['v1.0/state/*', INVOKE_ROUTE], not: []}
]

for (const {api, served, not} of CASES)
  t.test(`what is served: ${api}`, async t => {
    const {configuration, faults} = await read(api)
    t.same(faults, [])
    for (const route of served) t.ok(isRouteServed(configuration?.apiAccess.http, route), route)
    for (const route of not) t.notOk(isRouteServed(configuration?.apiAccess.http, route), route)
  })

const GRPC_STATE = '{name: state, version: v1, protocol: grpc}'
const GRPC_INVOKE = '{name: invoke, version: v1, protocol: GRPC}'

for (const {api, served, not} of [
  {api: `{denied: [${STATE}]}`, served: ['Dapr/GetState', 'Dapr/InvokeService'], not: []},
  {
    api: `{denied: [${GRPC_STATE}]}`,
    served: ['Dapr/InvokeService', 'Dapr/QueryStateAlpha1', 'Dapr/GetMetadata'],
    not: ['Dapr/GetState', 'Dapr/ExecuteStateTransaction']
  },
  {
    api: `{allowed: [${GRPC_STATE}, ${GRPC_INVOKE}], denied: [${GRPC_INVOKE}]}`,
    served: ['Dapr/GetState'],
    not: ['Dapr/InvokeService', 'Dapr/GetMetadata', 'Dapr/NotKnown', 'Other/GetState']
  }
])
  t.test(`what is served over gRPC: ${api}`, async t => {
    const {configuration, faults} = await read(api)
    t.same(faults, [])
    t.same(configuration?.unenforced, [])
    const access = configuration?.apiAccess.grpc
    t.ok(isGrpcServed(access, '/pkg.Service/Method'), 'the proxy is not restricted')
    for (const method of served) t.ok(isGrpcServed(access, `/dapr.proto.runtime.v1.${method}`), method)
    for (const method of not) t.notOk(isGrpcServed(access, `/dapr.proto.runtime.v1.${method}`), method)
  })

t.test('a rule that lacks something has no effect, and is named with its place', async t => {
  for (const [rule, message] of [
    ['{name: state, version: v1.0}', 'spec.api.denied[0] has no protocol: it has no effect'],
    ['{name: state, version: v1.0, protocol: tcp}', 'spec.api.denied[0] has the protocol "tcp": it has no effect'],
    ['{name: state, protocol: http}', 'spec.api.denied[0] lacks a name or a version: it has no effect'],
    ['{version: v1.0, protocol: http}', 'spec.api.denied[0] lacks a name or a version: it has no effect']
  ] as const) {
    const {configuration, faults} = await read(`{denied: [${rule}]}`)
    t.match(faults, [{message, place: {line: 2}}], rule)
    t.same(configuration?.apiAccess, {http: undefined, grpc: undefined})
  }
})

for (const [rule, api] of [
  ['{name: states, version: v1, protocol: http}', 'over http: v1/states'],
  ['{name: state/transaction, version: v1.0, protocol: http}', 'over http: v1.0/state/transaction'],
  ['{name: state, version: v1.0, protocol: grpc}', 'over grpc: v1.0/state'],
  ['{name: nothing, version: v1, protocol: grpc}', 'over grpc: v1/nothing']
] as const)
  t.test(`a rule that names no API is named: ${rule}`, async t => {
    const {configuration, faults} = await read(`{allowed: [${rule}]}`)
    t.match(faults, [{message: `spec.api.allowed[0] names no API of Dapr ${api}`, place: {line: 2}}])
    t.ok(isGrpcServed(configuration?.apiAccess.grpc, '/dapr.proto.runtime.v1.Dapr/InvokeService'), 'as in daprd')
    t.equal(isRouteServed(configuration?.apiAccess.http, 'v1.0/state/*'), rule.includes('grpc'), 'as in daprd')
  })
