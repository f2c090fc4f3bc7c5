// Node.js 18 (Debian 12) has the Web Crypto API but not its global name; import this file first.
import { webcrypto } from "node:crypto";
globalThis.crypto ??= webcrypto;
