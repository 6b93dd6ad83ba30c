"""The endpoints, one file each: validate, draw, compose, encode, answer."""

from fastapi import APIRouter

from app.api.routes import card, dataset, generate, latent_map, morph, page, probes, restyle

router = APIRouter()
for part in (generate, restyle, morph, latent_map, dataset, card, probes, page):
    router.include_router(part.router)
