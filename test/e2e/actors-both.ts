import type {Test} from 'tap'
import * as messages from '../../src/model/dapr/messages/actors.generated.ts'
import type {Message, Schema} from '../../src/proxy/net/grpc/message-codec.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openActors} from './actors-house.ts'

const SCHEMAS = messages as unknown as Readonly<Record<string, Schema | undefined>>

export interface GrpcAnswer {
  readonly code: number
  readonly message: string
  readonly answer: object | undefined
}

/** Calls a method of Dapr's service: fields that are left out are those of `Counter/1`. */
type GrpcCall = (method: string, more?: object, metadata?: Readonly<Record<string, string>>) => Promise<GrpcAnswer>

/** Actors by both protocols: `grpc` asks the sidecar of the host. */
export async function openBoth(...given: Parameters<typeof openActors>): Promise<
  Awaited<ReturnType<typeof openActors>> & {
    readonly grpc: GrpcCall
    readonly grpcAt: (app: string) => Promise<GrpcCall>
  }
> {
  const house = await openActors(...given)
  const grpcAt = async (app: string): Promise<GrpcCall> => grpcOf(given[0], (await house.run.ports(app)).grpc)
  return {...house, grpc: await grpcAt('host'), grpcAt}
}

export function grpcOf(t: Test, port: number): GrpcCall {
  const client = new DaprClient(t, port)
  return async (method, more = {}, metadata = {}) => {
    const asked = SCHEMAS[`${method}Request`]
    if (asked === undefined) throw new Error(`no messages of ${method}`)
    const message = {actorType: 'Counter', actorId: '1', ...more} as Partial<Message<Schema>>
    return client.call(method, [asked, message], SCHEMAS[`${method}Response`], metadata)
  }
}
