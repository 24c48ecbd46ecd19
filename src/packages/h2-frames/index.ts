/** HTTP/2 as frames: servers and clients that forward header fields as bytes, for gRPC and published ports. */
export {kept, textCopy, encodeField, encodeInteger, encodeNamed, isFieldName} from './field-text.ts'
export {FieldWalker, type HeaderField, type FieldSink} from './field-walker.ts'
export type {FrameClient} from './frame-client.ts'
export {FrameClients, type FrameTarget, type Waiter} from './frame-clients.ts'
export {DISCARDED, FrameServer} from './frame-server.ts'
export type {FrameStream, StreamHandler} from './frame-stream.ts'
export {CANCEL, FRAME_SIZE_ERROR, INTERNAL_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, codeName} from './frames.ts'
export {SERVER_GREETING} from './greeting.ts'
