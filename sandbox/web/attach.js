/** What can be sent beside words: a picture, a voice, a file, a place, a telephone number. */

import { send } from "./actions.js";
import { h } from "./dom.js";
import { say } from "./labels.js";
import { openMenu } from "./menu.js";

const SCENES = [
  ["🚰", "#3d7ea6", "#163247"],
  ["🚪", "#a67c3d", "#3b2712"],
  ["🛗", "#6d7f8c", "#22303a"],
  ["💡", "#b59a2c", "#3d3208"],
];
const VOICE_MAX = 12; // seconds
const HOME = { latitude: 31.2304, longitude: 121.4737 };

export function openAttachments(anchor, here) {
  const words = (key) => say(here.language, key);
  const items = [
    { label: words("samplePhoto"), drawing: "photo", act: async () => send(here, { photo: await picture() }) },
    {
      label: words("sampleVoice"),
      drawing: "mic",
      act: () => send(here, { voice: { duration: 2 + Math.floor(Math.random() * VOICE_MAX) } }),
    },
    { label: words("pickFile"), drawing: "file", act: () => pickFile(here) },
    { label: words("location"), drawing: "place", act: () => send(here, { location: near() }) },
    !here.isGroup && { label: words("sharePhone"), drawing: "person", act: () => sharePhone(here) },
  ];
  openMenu(anchor, words("attach"), items);
}

export const sharePhone = (here) => send(here, { contact: {} });
export const shareLocation = (here) => send(here, { location: near() });

/** Somewhere in the neighbourhood. */
function near() {
  const step = () => (Math.random() - 0.5) / 500;
  return { latitude: HOME.latitude + step(), longitude: HOME.longitude + step() };
}

/** A picture of something broken, drawn on the spot. */
async function picture() {
  const [emoji, light, dark] = SCENES[Math.floor(Math.random() * SCENES.length)];
  const canvas = h("canvas", { width: 640, height: 420 });
  const pen = canvas.getContext("2d");
  const shade = pen.createLinearGradient(0, 0, 640, 420);
  shade.addColorStop(0, light);
  shade.addColorStop(1, dark);
  pen.fillStyle = shade;
  pen.fillRect(0, 0, 640, 420);
  pen.font = "190px sans-serif";
  pen.textAlign = "center";
  pen.fillText(emoji, 320, 275);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  return { bytes: await base64(blob), file_name: "photo.jpg", mime_type: "image/jpeg", width: 640, height: 420 };
}

function pickFile(here) {
  const input = h("input", { type: "file", onchange: () => input.files[0] && sendFile(here, input.files[0]) });
  input.click();
}

export async function sendFile(here, file) {
  const kind = { image: "photo", video: "video", audio: "audio" }[file.type.split("/")[0]] ?? "document";
  return send(here, {
    [kind]: { bytes: await base64(file), file_name: file.name, mime_type: file.type || "application/octet-stream" },
  });
}

function base64(blob) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1]);
    reader.readAsDataURL(blob);
  });
}
