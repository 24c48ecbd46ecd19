import {PageGuard} from '../../../../../src/proxy/gateway/page-guard.ts'
import {once} from 'node:events'
import net from 'node:net'
import grpc from '@grpc/grpc-js'
import type {Test} from 'tap'
import type {Admit} from '../../../../../src/proxy/gateway/admission.ts'
import {hostGuard} from '../../../../../src/proxy/gateway/guards.ts'
import type {CallRecord} from '../../../../../src/model/call.ts'
import {
  readInvokeRequest,
  writeInvokeResponse,
  type InvokeRequest,
  type InvokeResponse
} from '../../../../../src/proxy/net/grpc/invoke-messages.ts'
import {Pool} from '../../../../../src/proxy/net/pool.ts'
import type {Sidecar} from '../../../../../src/dapr/sidecar/sidecar.ts'
import {openGrpcPort} from '../../../../../src/dapr/sidecar/ports.ts'
import {FACTS, noBlocks, openTestSidecar, type SidecarSettings} from '../rig.ts'
import {ECHO, EchoClient, method} from './echo-client.ts'

export {ECHO, EchoClient} from './echo-client.ts'

export interface EchoOptions {
  /** What the app does with a unary call; left out: it answers with the request. */
  readonly unary?: grpc.handleUnaryCall<Buffer, Buffer>
  readonly both?: grpc.handleBidiStreamingCall<Buffer, Buffer>
  readonly credentials?: grpc.ServerCredentials
  /** The path of the unary method. */
  readonly path?: string
  readonly settings?: grpc.ServerOptions
}

/** An app of grpc-js; gives its port. */
export const grpcApp = async (
  t: Test,
  {unary, both, credentials, settings, path}: EchoOptions = {}
): Promise<number> => {
  const server = new grpc.Server(settings)
  server.addService(path === undefined ? ECHO : {...ECHO, unary: {...ECHO.unary, path}}, {
    unary:
      unary ??
      ((call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => done(null, call.request)),
    down: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      for (let n = 0; n < 5; n++) call.write(Buffer.from(n.toString()))
      call.end()
    },
    up: (call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      let size = 0
      call.on('data', (message: Buffer) => (size += message.length))
      call.on('end', () => done(null, Buffer.from(size.toString())))
    },
    both:
      both ??
      ((call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (message: Buffer) => call.write(message)).on('end', () => call.end())
      })
  })
  t.teardown(() => server.forceShutdown())
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials ?? grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error)
    )
  )
}

export interface GrpcSettings extends SidecarSettings {
  readonly admitGrpc?: Admit
  readonly apiToken?: string
  readonly appProtocol?: string
  /** The `maxBodySize` of the callee; left out: any number. */
  readonly maxMessageBytes?: number
  readonly maxHeadBytes?: number
  /** Where it is opened; left out: at a new port. */
  readonly claim?: net.Server
}

export interface TestGrpcPort {
  readonly port: number
  readonly warnings: readonly string[]
  readonly records: readonly CallRecord[]
  readonly underWay: () => number
  readonly sidecar: Sidecar
  readonly close: (cut?: AbortSignal) => Promise<void>
}

/** The gRPC port of `a`, through which `b` (and `a` itself) is reached. */
export const openTestGrpcPort = async (t: Test, settings: GrpcSettings = {}): Promise<TestGrpcPort> => {
  const {
    admitGrpc,
    apiToken = '',
    appProtocol = 'grpc',
    maxHeadBytes = 4096,
    appPort = 1,
    claim,
    maxMessageBytes = 0,
    ...rest
  } = settings
  const records: CallRecord[] = []
  const pool = new Pool({hosts: ['127.0.0.1', '::1'], port: appPort, protocol: appProtocol, maxMessageBytes})
  let underWay = 0
  const admit: Admit = ({callee}, isRefused) => {
    if (callee !== 'a' && callee !== 'b')
      return {ok: false, status: 500, error: `couldn't find service: ${callee} (why)`, isUnknown: true}
    if (isRefused === true)
      return {
        ok: false,
        status: 500,
        error: 'down',
        down: {address: `127.0.0.1:${appPort}`, reason: 'why', isGrpc: appProtocol.startsWith('grpc')}
      }
    underWay++
    const leave = (): void => void underWay--
    return {ok: true, pool, isLocal: callee === 'a', token: '', pathPrefix: '', leave}
  }
  const {sidecar, warnings} = await openTestSidecar(t, {
    ...rest,
    admit: admitGrpc ?? admit,
    recorded: record => records.push(record)
  })
  const server = claim ?? net.createServer().listen(0, '127.0.0.1')
  if (claim === undefined) await once(server, 'listening')
  const address = server.address()
  const port = address === null || typeof address === 'string' ? 0 : address.port
  const tracing = settings.tracing ?? {isTracing: true, tracer: undefined}
  const guards = {isAllowedHost: hostGuard([]), apiToken, tracing, pages: new PageGuard([])}
  const open = openGrpcPort([server], {
    sidecar: sidecar.context,
    guards,
    maxHeadBytes,
    protocolOf: callee => (callee === 'a' || callee === 'b' ? appProtocol : ''),
    own: {
      appId: 'a',
      instance: 'a',
      lives: () => [],
      blocks: settings.blocks ?? noBlocks(),
      workflows: async () => Promise.reject(new Error('no workflows here')),
      facts: () => FACTS,
      customMetadata: sidecar.customMetadata,
      requestShutdown: settings.requestShutdown ?? (() => undefined)
    },
    apiAccess: () => undefined
  })
  t.teardown(async () => {
    await open.close(AbortSignal.abort())
    pool.cut()
  })
  return {port, sidecar, warnings, records, underWay: () => underWay, close: async cut => open.close(cut)}
}

/** Dapr's callback, and its health check, which an app of gRPC serves. */
const CALLBACK = {
  onInvoke: method('/dapr.proto.runtime.v1.AppCallback/OnInvoke', false, false),
  healthCheck: method('/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck', false, false)
}

export type OnInvoke = (
  request: InvokeRequest,
  call: grpc.ServerUnaryCall<Buffer, Buffer>
) => InvokeResponse | grpc.ServiceError

/** An app of grpc-js whose `OnInvoke` does this; gives its port. `isHealthy` left out: it serves no health check. */
export const callbackApp = async (
  t: Test,
  onInvoke: OnInvoke,
  isHealthy?: (call: grpc.ServerUnaryCall<Buffer, Buffer>) => boolean
): Promise<number> => {
  const server = new grpc.Server()
  server.addService(
    {onInvoke: CALLBACK.onInvoke},
    {
      onInvoke: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
        const answer = onInvoke(readInvokeRequest(call.request), call)
        if (answer instanceof Error) done(answer)
        else done(null, Buffer.from(writeInvokeResponse(answer)))
      }
    }
  )
  if (isHealthy !== undefined)
    server.addService(
      {healthCheck: CALLBACK.healthCheck},
      {
        healthCheck: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) =>
          isHealthy(call) ? done(null, Buffer.alloc(0)) : done(Object.assign(new Error('ill'), {code: 14}))
      }
    )
  t.teardown(() => server.forceShutdown())
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error)
    )
  )
}

/** A client of the port, or of the socket with this path. */
export const echoClient = (t: Test, where: number | string, options: grpc.ClientOptions = {}): EchoClient => {
  const address = typeof where === 'string' ? `unix:${where}` : `127.0.0.1:${where}`
  const client = new EchoClient(address, grpc.credentials.createInsecure(), options)
  t.teardown(() => client.close())
  return client
}
