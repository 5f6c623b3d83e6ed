// The types of Deno's own classes.
export const fetch: typeof globalThis.fetch;
export const File: typeof globalThis.File;
export type File = globalThis.File;
export const FormData: typeof globalThis.FormData;
export type FormData = globalThis.FormData;
export const Headers: typeof globalThis.Headers;
export type Headers = globalThis.Headers;
export const Request: typeof globalThis.Request;
export type Request = globalThis.Request;
export const Response: typeof globalThis.Response;
export type Response = globalThis.Response;
export type BodyInit = globalThis.BodyInit;
export type RequestInit = globalThis.RequestInit;
export type ResponseInit = globalThis.ResponseInit;
export type HeadersInit = globalThis.HeadersInit;
