/** The admin message as a server without configured security answers it. Source: protocol 05, section 1. */
import { SECURITY_NOT_CONFIGURED } from '../base/result.js';
import { PROTO_ADMIN, PROTO_HEADER_SIZE, writeProtoHeader } from './proto.js';

const ADMIN_HEADER_SIZE = 16; // bytes after the protocol header: scheme, result, command, field count, 12 reserved
const RESULT = 1;

/** The reply to any admin message: security is off. Clients go on without logging in. */
export const SECURITY_OFF_REPLY: Uint8Array = (() => {
  const reply = new Uint8Array(PROTO_HEADER_SIZE + ADMIN_HEADER_SIZE);
  writeProtoHeader(reply, 0, PROTO_ADMIN, ADMIN_HEADER_SIZE);
  reply[PROTO_HEADER_SIZE + RESULT] = SECURITY_NOT_CONFIGURED;
  return reply;
})();
