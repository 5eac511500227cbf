// What client and server share: the service, and payloads.

import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const proto = fileURLToPath(new URL('../protos/interop.proto', import.meta.url));
const definition = loader.loadSync(proto, { keepCase: true, defaults: true });

export const { Interop, UnimplementedService } = grpc.loadPackageDefinition(definition).micro.testing.v1;

export const echoInitial = 'x-echo-initial';
export const echoTrailing = 'x-echo-trailing-bin';

export const payloadOf = (size) => ({ body: Buffer.alloc(size) });
