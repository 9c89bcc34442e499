import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The server that answers API calls while `npm run dev` serves the page.
const server = process.env.DEC_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    // data: URLs and inline scripts would break the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { "/api": { target: server, changeOrigin: true } } },
});
