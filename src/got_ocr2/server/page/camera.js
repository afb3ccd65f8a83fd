// A picture taken with the camera.

import { dialog, el } from "./dom.js";
import { t } from "./i18n.js";

/** Resolves to a JPEG, or to null if it was left. Throws what the browser says where there is no camera. */
export async function takePicture() {
  if (!navigator.mediaDevices) throw new Error("getUserMedia needs HTTPS or localhost");
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 3840 }, height: { ideal: 2160 } },
  });
  return new Promise((resolve) => {
    let shot = null, url = null;
    const { box, body } = dialog(t("camera_title"), t("label_close"), () => {
      for (const track of stream.getTracks()) track.stop();
      if (url) URL.revokeObjectURL(url);
      resolve(shot);
    });
    const video = el("video", { playsinline: true });
    video.muted = true;
    video.srcObject = stream;
    video.play();
    const foot = el("div", { class: "foot" });
    const live = () => {
      shot = null;
      body.replaceChildren(video, foot);
      const button = el("button", { class: "main", type: "button", text: t("camera_take"), onclick: take });
      // Before the first frame the picture would have no pixels.
      button.disabled = video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA;
      video.addEventListener("loadeddata", () => { button.disabled = false; button.focus(); }, { once: true });
      foot.replaceChildren(button);
      button.focus();
    };
    const take = () => {
      const canvas = el("canvas");
      [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
      canvas.getContext("2d").drawImage(video, 0, 0);
      canvas.toBlob((blob) => {
        const picture = blob;
        url = URL.createObjectURL(picture);
        body.replaceChildren(el("img", { class: "shot", src: url, alt: "" }), foot);
        foot.replaceChildren(el("button", { class: "plain", type: "button", text: t("camera_again"), onclick: live }),
          el("button", { class: "main", type: "button", text: t("camera_use"), onclick: () => { shot = picture; box.close(); } }));
        foot.lastChild.focus();
      }, "image/jpeg", 0.93);
    };
    live();
  });
}
