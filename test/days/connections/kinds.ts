import {walkCalls} from './call-walk.ts'
import {walkGrpc} from './grpc-walk.ts'
import {walkStreams} from './stream-walk.ts'

/** What walks of connections show, how a seed is walked, and in how many steps. */
export const CONNECTION_WALKS = [
  ['streams of HTTP/2 end whole or broken off, whatever both sides change meanwhile', walkStreams, 200],
  ['each call of HTTP/1 gets the whole answer to what it has asked, whatever its app goes through', walkCalls, 100],
  ['calls of gRPC end once and with one status, whatever both sides do meanwhile', walkGrpc, 200]
] as const
