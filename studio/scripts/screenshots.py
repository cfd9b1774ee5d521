"""The pictures of the studio, taken anew from the page as it is: python studio/scripts/screenshots.py [FOLDER].

Needs Réseau with its page built, `pip install playwright pillow`, and Chromium. What they show is trained while they
are taken.
"""

from __future__ import annotations

import io
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).parents[2] / "docs" / "studio"
LARGEST = 200_000  # bytes of a picture
SCROLLED = 880  # a window so high keeps the result in sight when the page is scrolled


def main(folder: Path) -> None:
    """Take all pictures, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "reseau", "studio", "--no-browser", "--port", "0"]
    served = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert served.stdout
    address = served.stdout.readline().removeprefix("Studio: ").strip()
    try:
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for name, take in {"spirals": spirals, "blackboard": blackboard, "comparison": comparison}.items():
                save(take(browser, address), folder / f"{name}.png")
            browser.close()
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(20)


def spirals(browser: Browser, address: str) -> bytes:
    """Spirals while they are learnt."""
    page = opened(browser, address, "en-GB", "light")
    page.get_by_role("button", name="Spirals", exact=True).click()
    for layer in ("Layer 1", "Layer 2"):
        for _ in range(2):
            page.get_by_role("button", name=f"{layer}: one neuron more", exact=True).click()
    page.get_by_role("slider", name="Noise").fill("0.05")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function("() => parseFloat(document.querySelector('dd').textContent) > 96", timeout=120_000)
    return page.screenshot()


def blackboard(browser: Browser, address: str) -> bytes:
    """A learning step on a penguin, in French."""
    page = opened(browser, address, "fr-FR", "dark", SCROLLED)
    page.get_by_role("tab", name="Tableaux", exact=True).click()
    page.get_by_role("button", name="penguins.csv").click()
    page.get_by_role("group", name="Inputs").or_(page.get_by_role("group", name="Entrées")).wait_for()
    for _ in range(5):
        page.get_by_role("button", name="Une époque", exact=True).click()
        page.wait_for_timeout(200)
    page.get_by_role("button", name="Choisir un exemple", exact=True).click()
    page.get_by_role("button", name="Développer", exact=True).click()
    sheet = page.get_by_role("document", name="Tableau noir")
    sheet.get_by_role("heading").first.wait_for()
    page.get_by_role("combobox", name="Chiffres").select_option("3")
    page.wait_for_timeout(500)
    sheet.focus()
    for key in (*["Shift+ArrowRight"] * 3, *["ArrowRight"] * 6):
        page.keyboard.press(key)
    shown(page, "Regarder dedans")
    return page.screenshot()


def comparison(browser: Browser, address: str) -> bytes:
    """Three networks on the same moons."""
    page = opened(browser, address, "en-GB", "light", SCROLLED)
    page.get_by_role("button", name="Moons", exact=True).click()
    page.get_by_role("slider", name="Noise").fill("0.4")
    page.get_by_role("tab", name="Comparison").click()
    page.get_by_role("button", name="Stop the training").click()
    epochs = page.get_by_role("spinbutton", name="after epochs")
    epochs.fill("300")
    epochs.press("Enter")
    page.keyboard.press("Escape")
    for activation in ("identity", "ReLU", "tanh"):
        for layer in ("Layer 1", "Layer 2"):
            page.get_by_role("combobox", name=f"{layer}: activation").select_option(label=activation)
        page.wait_for_timeout(500)
        page.get_by_role("button", name="Train", exact=True).click()
        page.get_by_text("All epochs are made.").wait_for(state="attached")
        page.get_by_role("button", name="Keep this run", exact=True).click()
        page.wait_for_timeout(500)
    shown(page, "Look inside")
    return page.screenshot()


def shown(page: Page, region: str) -> None:
    """The page, scrolled to a region."""
    page.get_by_role("region", name=region, exact=True).evaluate(
        "(one) => { document.activeElement.blur(); one.scrollIntoView(); scrollBy(0, -12); }"
    )
    page.wait_for_timeout(300)


def opened(browser: Browser, address: str, locale: str, scheme: str, height: int = 800) -> Page:
    """The page, in a window of its own."""
    size = {"width": 1280, "height": height}
    context = browser.new_context(viewport=size, device_scale_factor=2, locale=locale, color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    page.get_by_role("application").first.wait_for()
    return page


def save(content: bytes, path: Path) -> None:
    """A picture in as many colours as fit."""
    with Image.open(io.BytesIO(content)) as whole:
        picture = whole.convert("RGB")
    for colours in (256, 192, 128, 64):
        picture.quantize(palette=palette(picture, colours), dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < LARGEST:
            return
    raise SystemExit(f"{path} has {path.stat().st_size} bytes; show less on it.")


def palette(picture: Image.Image, colours: int) -> Image.Image:
    """Colours for a picture, in which what is small counts too: an accent is seen, though the ground is large."""
    found = picture.getcolors(picture.width * picture.height)
    assert found
    weighted = b"".join(
        bytes(colour) * max(1, round(count**0.5)) for count, colour in found if isinstance(colour, tuple)
    )
    strip = Image.frombytes("RGB", (len(weighted) // 3, 1), weighted)
    return strip.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=3)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
