// What is used of the official client; it is CommonJS, whose names a bundle keeps only where they are imported by name.
export {createClient, ErrorReply, RESP_TYPES} from '@redis/client'
